//go:build darwin || linux

package monitor_test

import (
	"io/fs"
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// umask sets the umask for the rest of the spec.
func umask(mask int) {
	before := unix.Umask(mask)
	DeferCleanup(func() { unix.Umask(before) })
}

// wrongModes returns the modes that are not as they must be, of a directory and all below
// it.
func wrongModes(dir string) map[string]fs.FileMode {
	GinkgoHelper()
	wrong := make(map[string]fs.FileMode)
	Expect(filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		right := fs.FileMode(0o600)
		if entry.IsDir() {
			right = fs.ModeDir | 0o700
		}
		if err == nil && info.Mode() != right {
			wrong[path] = info.Mode()
		}
		return err
	})).To(Succeed())
	return wrong
}

var _ = Describe("What the store makes is for its owner alone, and usable,", func() {
	DescribeTable("under a umask of", func(mask int) {
		above := GinkgoT().TempDir()
		umask(mask)
		store, err := monitor.Open(filepath.Join(above, "made", "too", "store"))
		Expect(err).NotTo(HaveOccurred())
		r := own(store, "build", self())
		change(r, func(record *monitor.Record) { record.Reason = "another" })
		journal, err := monitor.OpenJournal(r.Path(monitor.JournalFile))
		Expect(err).NotTo(HaveOccurred())
		defer journal.Close()
		rewriteJournal(journal)
		Expect(wrongModes(filepath.Join(above, "made"))).To(BeEmpty())
		own(store, "second", self())
		Expect(r.Remove()).To(Succeed())
		Expect(unix.Umask(mask)).To(Equal(mask), "it is the process's")
	},
		Entry("0777", 0o777),
		Entry("0700", 0o700),
		Entry("0277", 0o277),
		Entry("0077", 0o077),
		Entry("0", 0),
	)

	It("also after a process died before it had set a mode", func() {
		store := newStore()
		own(store, "build", self())
		for _, dir := range []string{store.Trash(), store.Runtimes(), store.Dir()} {
			Expect(os.Chmod(dir, 0)).To(Succeed())
		}
		own(store, "second", self())
		Expect(wrongModes(store.Dir())).To(BeEmpty())
	})

	It("but a directory that has a mode keeps it", func() {
		store := newStore()
		own(store, "build", self())
		Expect(os.Chmod(store.Dir(), 0o500)).To(Succeed())
		own(store, "second", self())
		Expect(os.Stat(store.Dir())).To(HaveField("Mode()", fs.ModeDir|0o500))
		Expect(os.Chmod(store.Dir(), 0o700)).To(Succeed())
	})
})

// rewriteJournal has so many processes come and go that the journal is written anew.
func rewriteJournal(j monitor.Journal) {
	GinkgoHelper()
	for i := range monitor.MaxLines {
		m := trees.Member{Process: process.Process{Identity: process.Identity{PID: 2, Start: process.StartTime(i)}}}
		Expect(j.Append(
			trees.Change{Kind: trees.Joined, Member: m}, trees.Change{Kind: trees.Left, Member: m},
		)).To(Succeed())
	}
}
