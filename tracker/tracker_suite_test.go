package tracker

import (
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"
)

func TestTracker(t *testing.T) {
	EnforceDefaultTimeoutsWhenUsingContexts()
	SetDefaultEventuallyTimeout(30 * time.Second)
	RegisterFailHandler(Fail)
	RunSpecs(t, "Tracker")
}

// patience bounds each spec with real processes. Only a failure uses it up.
const patience = SpecTimeout(2 * time.Minute)

// No spec leaves a goroutine or a descriptor. The check is registered first and
// so runs last, after the spec has cleaned up.
var _ = BeforeEach(func() {
	goroutines := gleak.Goroutines()
	descriptors, err := openDescriptors()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() {
		Eventually(gleak.Goroutines).ShouldNot(gleak.HaveLeaked(goroutines))
		Eventually(openDescriptors).Should(HaveLen(len(descriptors)), "descriptors before: %v", descriptors)
	})
})
