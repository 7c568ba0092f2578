//go:build darwin || linux

package vigil_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"

	"github.com/gemini-monitor/gemini/internal/vigil"
)

func TestVigil(t *testing.T) {
	SetDefaultEventuallyTimeout(20 * time.Second)
	RegisterFailHandler(Fail)
	RunSpecs(t, "Vigil")
}

// reports collects what a vigil reports.
type reports struct {
	mu  sync.Mutex
	all vigil.Change
}

func (r *reports) add(c vigil.Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all |= c
}

// take returns what came since the last call.
func (r *reports) take() (c vigil.Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, r.all = r.all, 0
	return c
}

// has matches a change that contains another one.
func has(c vigil.Change) OmegaMatcher {
	return WithTransform(func(got vigil.Change) vigil.Change { return got & c }, Equal(c))
}

var _ = Describe("A vigil", func() {
	var dir string
	var got *reports

	BeforeEach(func() {
		goroutines := gleak.Goroutines()
		DeferCleanup(func() { Eventually(gleak.Goroutines).ShouldNot(gleak.HaveLeaked(goroutines)) })
		dir, got = filepath.Join(GinkgoT().TempDir(), "dir"), &reports{}
		Expect(os.Mkdir(dir, 0o700)).To(Succeed())
	})

	// write replaces the content of a file in the directory.
	write := func(name string) {
		GinkgoHelper()
		Expect(os.WriteFile(filepath.Join(dir, name), []byte("text"), 0o600)).To(Succeed())
	}

	keep := func(s vigil.Subject) {
		GinkgoHelper()
		s.Dir = dir
		v, err := vigil.Keep(s, got.add)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(v.Close)
	}

	It("reports that an entry is made, replaced, renamed and removed", func() {
		keep(vigil.Subject{Entries: []string{"record"}})
		record := filepath.Join(dir, "record")
		for _, change := range []func() error{
			func() error { return os.WriteFile(record, nil, 0o600) },
			func() error {
				Expect(os.WriteFile(record+".new", nil, 0o600)).To(Succeed())
				return os.Rename(record+".new", record)
			},
			func() error { return os.Rename(record, record+".old") },
			func() error { return os.Rename(record+".old", record) },
			func() error { return os.Remove(record) },
		} {
			got.take()
			Expect(change()).To(Succeed())
			Eventually(got.take).Should(has(vigil.Entry))
		}
	})

	It("reports writes to the file that counts", func() {
		write("log")
		keep(vigil.Subject{File: "log"})
		write("log")
		Eventually(got.take).Should(has(vigil.Written))
		log, err := os.OpenFile(filepath.Join(dir, "log"), os.O_WRONLY|os.O_APPEND, 0)
		Expect(err).NotTo(HaveOccurred())
		defer log.Close()
		got.take()
		_, err = log.WriteString("a line\n")
		Expect(err).NotTo(HaveOccurred())
		Eventually(got.take).Should(has(vigil.Written))
	})

	It("goes on with a directory that is moved, and reports that", func() {
		keep(vigil.Subject{Entries: []string{"record"}})
		Expect(os.Rename(dir, dir+".aside")).To(Succeed())
		Eventually(got.take).Should(has(vigil.Moved))
		dir += ".aside"
		write("record")
		Eventually(got.take).Should(has(vigil.Entry))
		Expect(os.RemoveAll(dir)).To(Succeed())
		Eventually(got.take).Should(has(vigil.Entry))
	})

	It("reports nothing when it is closed", func() {
		v, err := vigil.Keep(vigil.Subject{Dir: dir, Entries: []string{"record"}}, got.add)
		Expect(err).NotTo(HaveOccurred())
		write("record")
		Eventually(got.take).Should(has(vigil.Entry))
		v.Close()
		got.take()
		Expect(os.RemoveAll(dir)).To(Succeed())
		other := &reports{} // one that is reported to shows that the kernel has spoken
		Expect(os.Mkdir(dir, 0o700)).To(Succeed())
		second, err := vigil.Keep(vigil.Subject{Dir: dir, Entries: []string{"record"}}, other.add)
		Expect(err).NotTo(HaveOccurred())
		defer second.Close()
		write("record")
		Eventually(other.take).Should(has(vigil.Entry))
		Expect(got.take()).To(BeZero())
	})

	It("can be none", func() {
		var none *vigil.Vigil
		none.Close()
	})

	DescribeTable("cannot be kept", func(prepare func(), s vigil.Subject, reason error) {
		prepare()
		s.Dir = dir
		_, err := vigil.Keep(s, got.add)
		Expect(err).To(And(MatchError(reason), MatchError(HavePrefix("watch the directory "+dir+": "))))
	},
		Entry("on what does not exist", func() { Expect(os.Remove(dir)).To(Succeed()) }, vigil.Subject{}, os.ErrNotExist),
		Entry("on a file", func() {
			Expect(os.Remove(dir)).To(Succeed())
			Expect(os.WriteFile(dir, nil, 0o600)).To(Succeed())
		}, vigil.Subject{}, errNoDirectory),
	)
})
