//go:build darwin || linux

package harness_test

import (
	"context"
	"fmt"
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

var tools harness.Tools

var _ = SynchronizedBeforeSuite(func(ctx SpecContext) []byte {
	built, err := harness.Build(ctx, "puppet")
	Expect(err).NotTo(HaveOccurred())
	return []byte(built.Dir)
}, func(dir []byte) {
	tools.Dir = string(dir)
}, NodeTimeout(5*time.Minute))

var _ = SynchronizedAfterSuite(func() {}, func() {
	Expect(tools.Remove()).To(Succeed())
})

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
	return harness.NewStage(GinkgoT(), tools)
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

// brief returns a context that ends soon, for waits that must not succeed.
func brief(ctx context.Context) context.Context {
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	DeferCleanup(cancel)
	return short
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
