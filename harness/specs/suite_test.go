//go:build darwin || linux

package specs_test

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"

	"github.com/gemini-monitor/gemini/harness"
	"github.com/gemini-monitor/gemini/internal/descriptor"
)

func TestHarness(t *testing.T) {
	EnforceDefaultTimeoutsWhenUsingContexts()
	SetDefaultEventuallyTimeout(20 * time.Second)
	RegisterFailHandler(Fail)
	RunSpecs(t, "Harness")
}

func TestMain(m *testing.M) { harness.Main(m) }

// small makes the puppets of a stage smaller than the test binary. hurry shortens the grace
// time of a stage that must fail.
var (
	small harness.Option
	hurry = harness.Grace(300 * time.Millisecond)
)

var _ = SynchronizedBeforeSuite(func(SpecContext) []byte {
	Expect(os.Setenv("CGO_ENABLED", "0")).To(Succeed()) // as "make build" builds it
	path, err := harness.Build("github.com/gemini-monitor/gemini/harness/puppet")
	Expect(err).NotTo(HaveOccurred())
	return []byte(path)
}, func(path []byte) { small = harness.Program(string(path)) }, NodeTimeout(5*time.Minute))

// No spec leaves a goroutine or a descriptor. The check is registered first, so it runs
// last, after the stage was cleared.
var _ = BeforeEach(func() {
	goroutines := gleak.Goroutines()
	before, err := openDescriptors()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() {
		Eventually(gleak.Goroutines).ShouldNot(gleak.HaveLeaked(goroutines))
		Eventually(openDescriptors).Should(HaveLen(len(before)), "descriptors before: %v", before)
	})
})

// newStage returns a stage for the spec.
func newStage() *harness.Stage {
	GinkgoHelper()
	return harness.New(GinkgoT(), small)
}

// needs skips the spec where the shell is not installed.
func needs(kind harness.Kind) {
	if _, err := kind.Path(); err != nil {
		Skip(fmt.Sprintf("%s is not installed", kind))
	}
}

// A quietT is a test that may fail. It keeps the message.
type quietT struct {
	mu       sync.Mutex
	cleanups []func()
	failed   bool
	message  string
}

func (t *quietT) Helper()              {}
func (t *quietT) Logf(string, ...any)  {}
func (t *quietT) Failed() bool         { return t.failed }
func (t *quietT) Skipf(string, ...any) { runtime.Goexit() }
func (t *quietT) Cleanup(clean func()) { t.cleanups = append(t.cleanups, clean) }
func (t *quietT) Errorf(f string, a ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failed, t.message = true, fmt.Sprintf(f, a...)
}

// Fatalf ends the goroutine, as testing.T's does.
func (t *quietT) Fatalf(f string, a ...any) {
	t.Errorf(f, a...)
	runtime.Goexit()
}

// run runs test in a goroutine, cleans up and returns the failure message.
func (t *quietT) run(test func()) string {
	done := make(chan struct{})
	go func() {
		defer close(done)
		test()
	}()
	<-done
	for i := len(t.cleanups) - 1; i >= 0; i-- {
		t.cleanups[i]()
	}
	return t.message
}

// perl returns the path of perl, which forks without exec. It skips the spec if perl is
// not installed.
func perl() string {
	path, err := exec.LookPath("perl")
	if err != nil {
		Skip("perl is not installed")
	}
	return path
}

// openDescriptors returns the open descriptors, pipes left out in a parallel run.
func openDescriptors() ([]string, error) {
	config, _ := GinkgoConfiguration()
	return descriptor.Snapshot(config.ParallelTotal == 1)
}
