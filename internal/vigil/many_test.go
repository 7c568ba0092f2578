//go:build darwin || linux

package vigil_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"

	"github.com/gemini-monitor/gemini/internal/vigil"
)

// reportsOfMany collects what a vigil on many paths reports.
type reportsOfMany struct {
	mu  sync.Mutex
	all map[string]vigil.Change
}

func (r *reportsOfMany) add(path string, c vigil.Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all[path] |= c
}

// of returns what was reported of a path.
func (r *reportsOfMany) of(path string) vigil.Change {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all[path]
}

var _ = Describe("A vigil on many paths", func() {
	var dir string
	var got *reportsOfMany
	var many *vigil.Many

	BeforeEach(func() {
		goroutines := gleak.Goroutines()
		DeferCleanup(func() { Eventually(gleak.Goroutines).ShouldNot(gleak.HaveLeaked(goroutines)) })
		dir, got = GinkgoT().TempDir(), &reportsOfMany{all: make(map[string]vigil.Change)}
		var err error
		many, err = vigil.KeepMany(got.add)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(many.Close)
	})

	// add adds a line to a file, which is made where it is not there.
	add := func(path string) {
		GinkgoHelper()
		file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
		Expect(err).NotTo(HaveOccurred())
		_, err = file.WriteString("line\n")
		Expect(err).NotTo(HaveOccurred())
		Expect(file.Close()).To(Succeed())
	}

	// watched makes a file and watches it.
	watched := func(name string) (path string) {
		GinkgoHelper()
		path = filepath.Join(dir, name)
		add(path)
		Expect(many.Add(path)).To(Succeed())
		return path
	}

	It("reports writes by the path that was written to", func() {
		one, other := watched("one"), watched("other")
		add(one)
		Eventually(got.of).WithArguments(one).Should(has(vigil.Written))
		Expect(got.of(other)).To(BeZero())
		add(other)
		Eventually(got.of).WithArguments(other).Should(has(vigil.Written))
	})

	It("reports that an entry of a directory is made and removed", func() {
		for _, change := range []func(string) error{
			func(path string) error { return os.Mkdir(path, 0o700) },
			os.Remove,
		} {
			Expect(many.Add(dir)).To(Succeed())
			got.mu.Lock()
			clear(got.all)
			got.mu.Unlock()
			Expect(change(filepath.Join(dir, "entry"))).To(Succeed())
			Eventually(got.of).WithArguments(dir).Should(has(vigil.Entry))
		}
	})

	It("reports that a file was replaced which is open, and goes on with the new one when it is added again", func() {
		path := watched("journal")
		file, err := os.Open(path)
		Expect(err).NotTo(HaveOccurred())
		defer file.Close()
		add(path + ".new")
		Expect(os.Rename(path+".new", path)).To(Succeed())
		Eventually(got.of).WithArguments(path).Should(has(vigil.Removed))
		Expect(many.Add(path)).To(Succeed())
		add(path)
		Eventually(got.of).WithArguments(path).Should(has(vigil.Written))
	})

	It("reports writes to a file whose directory was moved", func() {
		sub := filepath.Join(dir, "sub")
		Expect(os.Mkdir(sub, 0o700)).To(Succeed())
		path := watched(filepath.Join("sub", "journal"))
		Expect(os.Rename(sub, sub+".aside")).To(Succeed())
		add(filepath.Join(sub+".aside", "journal"))
		Eventually(got.of).WithArguments(path).Should(has(vigil.Written))
	})

	It("reports nothing of a path that was dropped, and of any path when it is closed", func() {
		dropped, kept := watched("dropped"), watched("kept")
		many.Drop(dropped)
		many.Drop(filepath.Join(dir, "never"))
		add(dropped)
		add(kept)
		Eventually(got.of).WithArguments(kept).Should(has(vigil.Written))
		Expect(got.of(dropped)).To(BeZero())
	})

	It("cannot watch what does not exist", func() {
		path := filepath.Join(dir, "none")
		Expect(many.Add(path)).To(And(MatchError(os.ErrNotExist), MatchError(HavePrefix("watch "+path+": "))))
	})

	It("watches a thousand files", func() {
		for i := range 1000 {
			watched(fmt.Sprint("file", i))
		}
		last := filepath.Join(dir, "file0")
		add(last)
		Eventually(got.of).WithArguments(last).Should(has(vigil.Written))
	})

	It("can be none", func() {
		var none *vigil.Many
		none.Close()
	})
})
