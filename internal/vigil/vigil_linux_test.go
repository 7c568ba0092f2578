package vigil_test

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/vigil"
)

var errNoDirectory error = unix.ENOTDIR

// The runner of the macOS build has no event of Linux for the removal of an open directory.
var _ = It("A vigil reports that the directory is removed", Label("linux"), func() {
	dir, got := filepath.Join(GinkgoT().TempDir(), "dir"), &reports{}
	Expect(os.Mkdir(dir, 0o700)).To(Succeed())
	v, err := vigil.Keep(vigil.Subject{Dir: dir}, got.add)
	Expect(err).NotTo(HaveOccurred())
	defer v.Close()
	Expect(os.Remove(dir)).To(Succeed())
	Eventually(got.take).Should(has(vigil.Removed))
})

var _ = DescribeTable("An event of inotify is about", Label("linux"), func(kinds int, name string, change vigil.Change) {
	s := vigil.Subject{Dir: "/d", Entries: []string{"record", "lock"}, File: "log"}
	Expect(vigil.ChangeOf(s, uint32(kinds), name)).To(Equal(change))
},
	Entry("an entry that counts", unix.IN_MOVED_TO, "lock", vigil.Entry),
	Entry("none that counts", unix.IN_MOVED_TO, "other", vigil.Change(0)),
	Entry("the file", unix.IN_MODIFY, "log", vigil.Written),
	Entry("not the content of an entry", unix.IN_MODIFY, "record", vigil.Change(0)),
	Entry("not that the file was made", unix.IN_CREATE, "log", vigil.Change(0)),
	Entry("the place of the directory", unix.IN_MOVE_SELF, "", vigil.Moved),
	Entry("its end", unix.IN_DELETE_SELF, "", vigil.Removed),
	Entry("the end of its file system", unix.IN_UNMOUNT, "", vigil.Removed),
	Entry("the end of the watch", unix.IN_IGNORED, "", vigil.Removed),
	Entry("all that can be missed, where events were lost", unix.IN_Q_OVERFLOW, "", vigil.Entry|vigil.Written|vigil.Moved),
)

var _ = DescribeTable("An event of one of many paths is about", Label("linux"), func(kinds int, change vigil.Change) {
	Expect(vigil.AnyChange(uint32(kinds))).To(Equal(change))
},
	Entry("an entry", unix.IN_CREATE, vigil.Entry),
	Entry("the content", unix.IN_MODIFY, vigil.Written),
	Entry("its place", unix.IN_MOVE_SELF, vigil.Moved),
	Entry("the end of a file that is open", unix.IN_ATTRIB, vigil.Removed),
	Entry("its end", unix.IN_DELETE_SELF, vigil.Removed),
	Entry("the end of the watch", unix.IN_IGNORED, vigil.Removed),
	Entry("nothing that counts", unix.IN_OPEN, vigil.Change(0)),
)
