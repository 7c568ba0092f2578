//go:build darwin || linux

package monitor

import (
	"os"
	"os/signal"
	"syscall"

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

	It("is nothing where the process ignores all that end it", func() {
		heard := make(chan os.Signal, 1)
		notify(heard, nil)
		Expect(syscall.Kill(os.Getpid(), syscall.SIGURG)).To(Succeed()) // as Go's runtime does
		signal.Stop(heard)                                              // returns when what has come was passed on
		Expect(heard).NotTo(Receive())
	})

	It("is what came before it was closed", func() {
		e := newEar()
		Expect(syscall.Kill(os.Getpid(), syscall.SIGQUIT)).To(Succeed()) // another thread may get it, later
		Eventually(e.Done()).Should(BeClosed())
		Expect(e.close()).To(Equal(&ToldError{syscall.SIGQUIT}))
	})
})
