//go:build darwin || linux

package checkup_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/checkup"
	"github.com/gemini-monitor/gemini/monitor"
)

var _ = Describe("What is gathered", func() {
	var dir string

	BeforeEach(func() { dir = filepath.Join(GinkgoT().TempDir(), "state", "store") })

	gather := func() checkup.Facts {
		GinkgoHelper()
		return checkup.Gather(context.Background(), checkup.Options{
			Program: checkup.Program{Version: "v0.1.0"}, Patience: time.Minute,
			Open: func() (*monitor.Store, error) { return monitor.Open(dir) }, Dir: dir,
		})
	}

	It("is this machine, and nothing is made", func() {
		f := gather()
		Expect(f.Kernel.Release).To(MatchRegexp(`^\d+\.`))
		Expect(f.Tracking.Err).NotTo(HaveOccurred())
		Expect(f.Tracking.Mechanism).NotTo(BeEmpty())
		Expect(f.Table.Err).NotTo(HaveOccurred())
		Expect(f.Table.Processes).To(BeNumerically(">", 1))
		Expect(f.Limits.Files).NotTo(BeZero())
		Expect(f.Store).To(And(HaveField("Dir", dir), HaveField("There", false), HaveField("Err", BeNil()), HaveField("Unwritable", BeNil())))
		Expect(f.Store.FileSystem).To(And(HaveField("Kind", Not(BeEmpty())), HaveField("Bytes", Not(BeZero()))))
		Expect(f.Runtimes.All).To(BeEmpty())
		Expect(f.Resident).To(And(HaveField("None", true), HaveField("Status", BeNil())))
		Expect(filepath.Dir(dir)).NotTo(BeAnExistingFile())
	})

	It("is a store that is there, with what is left in it, which stays", func() {
		s, err := monitor.Open(dir)
		Expect(err).NotTo(HaveOccurred())
		Expect(s.Make()).To(Succeed())
		left := filepath.Join(dir, "trash", "left")
		Expect(os.Mkdir(left, 0o700)).To(Succeed())
		Expect(os.WriteFile(filepath.Join(dir, "resident.failed"), []byte("it died 6 times\n"), 0o600)).To(Succeed())
		f := gather()
		Expect(f.Store).To(And(HaveField("There", true), HaveField("Unswept", 1)))
		Expect(f.Resident.GaveUp).To(Equal("it died 6 times"))
		Expect(left).To(BeADirectory())
		Expect(filepath.Join(dir, "resident.failed")).To(BeARegularFile())
	})

	It("is why a store is refused", func() {
		Expect(os.MkdirAll(dir, 0o700)).To(Succeed())
		Expect(os.Chmod(dir, 0o777)).To(Succeed())
		f := gather()
		Expect(f.Store).To(And(HaveField("Dir", dir), HaveField("Err", MatchError(monitor.ErrUnsafe)), HaveField("FileSystem.Kind", Not(BeEmpty()))))
		Expect(checkup.Failed(checkup.Judge(f), checkup.Refused)).To(Equal([]string{"store"}))
	})

	It("is that nothing can be made in a directory", Label("no-root"), func() {
		if os.Geteuid() == 0 {
			Skip("root may write everywhere")
		}
		above := filepath.Dir(filepath.Dir(dir))
		Expect(os.Chmod(above, 0o500)).To(Succeed())
		DeferCleanup(os.Chmod, above, fs.FileMode(0o700))
		Expect(gather().Store.Unwritable).To(MatchError(syscall.EACCES))
	})
})
