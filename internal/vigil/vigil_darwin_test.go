package vigil_test

import (
	"golang.org/x/sys/unix"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/vigil"
)

var errNoDirectory error = unix.ENOTDIR

var _ = DescribeTable("The notes of a directory are about", Label("macos"), func(notes int, change vigil.Change) {
	Expect(vigil.ChangeOf(uint32(notes))).To(Equal(change))
},
	Entry("its entries", unix.NOTE_WRITE, vigil.Entry),
	Entry("its place", unix.NOTE_RENAME, vigil.Moved),
	Entry("its end", unix.NOTE_DELETE, vigil.Removed),
	Entry("the end of its file system", unix.NOTE_REVOKE, vigil.Removed),
	Entry("several", unix.NOTE_WRITE|unix.NOTE_RENAME, vigil.Entry|vigil.Moved),
)

var _ = DescribeTable("The notes of one of many paths are about", Label("macos"), func(notes int, change vigil.Change) {
	Expect(vigil.AnyChange(uint32(notes))).To(Equal(change))
},
	Entry("an entry, or the content", unix.NOTE_WRITE, vigil.Entry|vigil.Written),
	Entry("its place", unix.NOTE_RENAME, vigil.Moved),
	Entry("its end", unix.NOTE_DELETE, vigil.Removed),
)
