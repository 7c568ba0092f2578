//go:build darwin || linux

package monitor

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("What a start hears of signals", func() {
	It("ends also where it was opened twice, as after an exec that was never tried", func() {
		e := newEar()
		e.open()
		closed := make(chan error, 1)
		go func() { closed <- e.close() }()
		Eventually(closed).Should(Receive(BeNil()))
	})
})
