//go:build darwin || linux

package standin

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("^Z where the sender of a signal is not told", func() {
	It("is one of the terminal in the foreground, before the child is reported as stopped", func() {
		var p pairing
		Expect(p.heard(true)).To(BeTrue())
		p.stopped()
		Expect(p.heard(false)).To(BeFalse(), "the next one is of another process")
	})

	It("is one of the terminal also when it is heard late, in the background", func() {
		var p pairing
		p.stopped()
		Expect(p.heard(false)).To(BeTrue())
		Expect(p.heard(false)).To(BeFalse())
	})

	It("is one of the terminal twice, where both are heard after the second report", func() {
		var p pairing
		p.stopped()
		p.stopped()
		Expect(p.heard(false)).To(BeTrue())
		Expect(p.heard(false)).To(BeTrue())
		Expect(p.heard(false)).To(BeFalse())
	})

	It("is not missed for ever where the kernel drops it", func() {
		var p pairing
		for range 100 {
			p.stopped()
		}
		for range 3 {
			p.heard(false)
		}
		Expect(p.heard(false)).To(BeFalse())
	})

	It("is of another process in the background, where the child was not stopped", func() {
		var p pairing
		Expect(p.heard(false)).To(BeFalse())
	})
})
