//go:build darwin || linux

package standin

import (
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("A wait for a child that has ended", func() {
	It("leaves to it the ^C that came before its end was known", func() {
		for range 50 { // of the two that are ready, select takes one by chance
			s := &StandIn{ear: &ear{notices: make(chan notice, 1)}, ends: make(chan report, 1)}
			s.ear.notices <- notice{syscall.SIGINT, theKernel, 0}
			s.ends <- report{status: 5 << 8}
			Expect(s.Wait()).To(Equal(syscall.WaitStatus(5 << 8)))
			Expect(s.ear.notices).To(BeEmpty(), "Rest takes it for one to this process")
			Expect(s.late).To(BeEmpty())
		}
	})
})
