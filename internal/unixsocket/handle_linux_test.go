package unixsocket

import (
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("The pidfd of a peer", Label("linux"), func() {
	answer := func(handle int, err error) func() (int, error) {
		return func() (int, error) { return handle, err }
	}
	never := func() (int, error) {
		defer GinkgoRecover()
		Fail("the PID was asked for, which may be another process's")
		return -1, nil
	}

	It("is the one that the kernel has", func() {
		Expect(handleBy(answer(7, nil), never)).To(Equal(7))
	})

	It("is by the PID on a kernel that has none", func() {
		Expect(handleBy(answer(-1, unix.ENOPROTOOPT), answer(8, nil))).To(Equal(8))
		_, err := handleBy(answer(-1, unix.ENOPROTOOPT), answer(-1, unix.ESRCH))
		Expect(err).To(MatchError(process.ErrGone))
	})

	It("is none of a process that was reaped, whatever the error", func() {
		for _, errno := range []syscall.Errno{unix.EINVAL, unix.ESRCH, unix.ENODATA} {
			_, err := handleBy(answer(-1, errno), never)
			Expect(err).To(MatchError(process.ErrGone))
			Expect(err).To(MatchError(errno))
		}
	})

	It("is an error where there is no room for it, which is not the end of the peer", func() {
		_, err := handleBy(answer(-1, unix.EMFILE), never)
		Expect(err).To(MatchError(unix.EMFILE))
		Expect(err).NotTo(MatchError(process.ErrGone))
	})
})
