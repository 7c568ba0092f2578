//go:build darwin || linux

package standin

import (
	"os/exec"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("What wait(2) says of a child", func() {
	DescribeTable("is a stop by any signal", func(signal syscall.Signal) {
		cmd := exec.Command("sleep", "1000")
		// A group is not orphaned while a member's parent is outside of it, in the same session.
		// In an orphaned one the signals of a terminal stop nothing.
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		Expect(cmd.Start()).To(Succeed())
		DeferCleanup(func() { _ = cmd.Wait() })
		DeferCleanup(cmd.Process.Kill)
		Expect(cmd.Process.Signal(signal)).To(Succeed())
		by, stopped := stopOf(reported(cmd.Process.Pid))
		Expect(stopped).To(BeTrue())
		Expect(by).To(Equal(signal))
		Expect(stopSignal(by)).To(Equal(signal))
	},
		Entry(nil, syscall.SIGSTOP),
		Entry(nil, syscall.SIGTSTP),
		Entry(nil, syscall.SIGTTIN),
		Entry(nil, syscall.SIGTTOU),
	)

	DescribeTable("is no stop when the child has ended", func(script string) {
		cmd := exec.Command("sh", "-c", script)
		Expect(cmd.Start()).To(Succeed())
		DeferCleanup(func() { _ = cmd.Wait() }) // in vain: it is waited for below
		_, stopped := stopOf(reported(cmd.Process.Pid))
		Expect(stopped).To(BeFalse())
	},
		Entry("with 0", "exit 0"),
		Entry("with 127, which is 0x7f", "exit 127"),
		Entry("by a signal", "kill -TERM $$"),
	)
})

// reported returns what wait(2) says of a child the next time.
func reported(pid int) syscall.WaitStatus {
	GinkgoHelper()
	for {
		var status syscall.WaitStatus
		_, err := syscall.Wait4(pid, &status, syscall.WUNTRACED, nil)
		if err == syscall.EINTR {
			continue
		}
		Expect(err).NotTo(HaveOccurred())
		return status
	}
}
