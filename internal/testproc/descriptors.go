//go:build darwin || linux

package testproc

import (
	"os"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/descriptor"
)

// openDescriptors lists those of this process, without pipes where several
// processes run the specs: Ginkgo makes its own there at any time.
func openDescriptors() ([]string, error) {
	suite, _ := ginkgo.GinkgoConfiguration()
	return descriptor.Snapshot(suite.ParallelTotal == 1)
}

// openPoller has Go's poller open its descriptors before any spec. It does so when it
// is first needed.
func openPoller() {
	read, write, err := os.Pipe()
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	defer read.Close()
	defer write.Close()
}
