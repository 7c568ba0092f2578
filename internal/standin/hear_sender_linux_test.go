//go:build amd64 || arm64

package standin

import (
	"encoding/binary"
	"os"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"
)

var _ = Describe("What a signal comes from", Label("linux"), func() {
	It("is said by the kernel", Label("probe"), func(ctx SpecContext) {
		heard := []syscall.Signal{unix.SIGUSR1, unix.SIGALRM}
		e := newEar()
		e.take(heard)
		for range 20 {
			Expect(syscall.Kill(os.Getpid(), unix.SIGUSR1)).To(Succeed())
			Eventually(ctx, e.notices).Should(Receive(Equal(notice{unix.SIGUSR1, anyProcess, os.Getpid()})))
		}
		_, err := unix.Setitimer(unix.ITIMER_REAL, unix.Itimerval{Value: unix.Timeval{Usec: 1}})
		Expect(err).NotTo(HaveOccurred())
		Eventually(ctx, e.notices).Should(Receive(Equal(notice{unix.SIGALRM, theKernel, 0})))
	})

	DescribeTable("is in the code", func(code int32, want sender, pid int) {
		var info [beginning]byte
		binary.NativeEndian.PutUint32(info[:], uint32(unix.SIGINT))
		binary.NativeEndian.PutUint32(info[8:], uint32(code))
		binary.NativeEndian.PutUint32(info[16:], 4711)
		Expect(noticeOf(info)).To(Equal(notice{unix.SIGINT, want, pid}))
	},
		Entry("SI_USER", int32(0), anyProcess, 4711),
		Entry("SI_QUEUE", int32(-1), anyProcess, 4711),
		Entry("SI_TKILL", int32(-6), anyProcess, 4711),
		Entry("SI_KERNEL", int32(0x80), theKernel, 0),
	)
})
