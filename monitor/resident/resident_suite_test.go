//go:build darwin || linux

package resident_test

import (
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"

	"github.com/gemini-monitor/gemini/internal/descriptor"
)

func TestResident(t *testing.T) {
	EnforceDefaultTimeoutsWhenUsingContexts()
	SetDefaultEventuallyTimeout(time.Minute) // where the table is polled, a read of 0.6 s buys 20 s of quiet
	RegisterFailHandler(Fail)
	RunSpecs(t, "Resident")
}

// Each spec leaves as many goroutines and descriptors as there were before.
var _ = BeforeEach(func() {
	goroutines := gleak.Goroutines()
	descriptors, err := openDescriptors()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() {
		Eventually(gleak.Goroutines).ShouldNot(gleak.HaveLeaked(goroutines))
		Eventually(openDescriptors).Should(HaveLen(len(descriptors)), "descriptors before: %v", descriptors)
	})
})

// openDescriptors returns the open descriptors, pipes left out in a parallel run.
func openDescriptors() ([]string, error) {
	config, _ := GinkgoConfiguration()
	return descriptor.Snapshot(config.ParallelTotal == 1)
}
