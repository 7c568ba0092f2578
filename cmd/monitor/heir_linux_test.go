package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"unsafe"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"
)

// tellInheritance prints the attributes of the first thread, on which the program's init
// has locked this goroutine: the signal at the death of its parent, and its timer slack.
func tellInheritance() {
	var signal int32
	err := unix.Prctl(unix.PR_GET_PDEATHSIG, uintptr(unsafe.Pointer(&signal)), 0, 0, 0)
	slack, _ := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	fmt.Println(signal, slack, err)
}

var _ = Describe("run", Label("linux"), func() {
	It("keeps what belongs to the first thread, each time", func() {
		self, err := os.Executable()
		Expect(err).NotTo(HaveOccurred())
		runtime.LockOSThread() // the signal is sent when the thread ends that is the parent
		defer runtime.UnlockOSThread()
		Expect(unix.Prctl(unix.PR_SET_TIMERSLACK, 77_777, 0, 0, 0)).To(Succeed()) // which a child inherits
		defer func() { Expect(unix.Prctl(unix.PR_SET_TIMERSLACK, 0, 0, 0, 0)).To(Succeed()) }()
		tell := func(words ...string) string {
			GinkgoHelper()
			cmd := exec.Command(self, words...)
			cmd.Stderr = GinkgoWriter
			cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGWINCH}
			out, err := cmd.Output()
			Expect(err).NotTo(HaveOccurred())
			return string(out)
		}
		plain := tell(asHeir)
		Expect(plain).To(Equal("28 77777 <nil>\n"))
		for range 20 {
			Expect(tell(asMonitor, "run", "--no-resident", "--", self, asHeir)).To(Equal(plain))
		}
		Expect(tell(asMonitor, "run", "--no-resident", "--wait", "--", self, asHeir)).To(Equal(plain))
		Eventually(func() error { return InterceptGomegaFailure(nothingLeft) }).Should(Succeed())
	})
})
