package testproc

import (
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"
)

// Patience bounds each spec with real processes. Only a failure uses it up.
const Patience = ginkgo.SpecTimeout(2 * time.Minute)

// CheckLeaks has every spec of a suite checked for goroutines and descriptors that it
// leaves. A suite calls it once, at package level. The check is registered first and
// so runs last, after the spec has cleaned up.
func CheckLeaks() bool {
	return ginkgo.BeforeSuite(openPoller) && ginkgo.BeforeEach(func() {
		goroutines := gleak.Goroutines()
		descriptors, err := openDescriptors()
		gomega.Expect(err).NotTo(gomega.HaveOccurred())
		ginkgo.DeferCleanup(func() {
			gomega.Eventually(gleak.Goroutines).ShouldNot(gleak.HaveLeaked(goroutines))
			gomega.Eventually(openDescriptors).Should(gomega.HaveLen(len(descriptors)), "descriptors before: %v", descriptors)
		})
	})
}
