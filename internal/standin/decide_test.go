//go:build darwin || linux

package standin

import (
	"slices"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("A signal that comes while the child lives", func() {
	const foreground, background = true, false
	DescribeTable("is passed on, unless the child has it already", func(s syscall.Signal, from sender, where bool, want deed) {
		Expect(whileItLives(notice{signal: s, from: from}, where)).To(Equal(want))
	},
		Entry("^C", syscall.SIGINT, theKernel, background, nothing),
		Entry("^\\", syscall.SIGQUIT, theKernel, background, nothing),
		Entry("^Z", syscall.SIGTSTP, theKernel, background, nothing),
		Entry("a closed window", syscall.SIGHUP, theKernel, background, nothing),
		Entry("another size", syscall.SIGWINCH, theKernel, background, nothing),
		Entry("a read in the background", syscall.SIGTTIN, theKernel, background, nothing),
		Entry("a write in the background", syscall.SIGTTOU, theKernel, background, nothing),
		Entry("the processor time of this process", syscall.SIGXCPU, theKernel, background, nothing),
		Entry("a timer that the caller has set", syscall.SIGALRM, theKernel, background, passOn),

		Entry("kill -INT", syscall.SIGINT, anyProcess, foreground, passOn),
		Entry("kill -QUIT", syscall.SIGQUIT, anyProcess, foreground, passOn),
		Entry("kill -TSTP", syscall.SIGTSTP, anyProcess, foreground, passOn),
		Entry("kill -TTIN", syscall.SIGTTIN, anyProcess, foreground, passOn),
		Entry("kill -HUP", syscall.SIGHUP, anyProcess, foreground, passOn),
		Entry("kill -WINCH", syscall.SIGWINCH, anyProcess, foreground, passOn),
		Entry("kill -XCPU, of a batch system", syscall.SIGXCPU, anyProcess, foreground, passOn),
		Entry("kill -TERM", syscall.SIGTERM, anyProcess, foreground, passOn),
		Entry("kill -USR1", syscall.SIGUSR1, anyProcess, foreground, passOn),

		Entry("kill 0 of the command", syscall.SIGTERM, theChild, foreground, nothing),

		Entry("a SIGINT of unknown origin at the terminal", syscall.SIGINT, unknown, foreground, nothing),
		Entry("a SIGQUIT of unknown origin at the terminal", syscall.SIGQUIT, unknown, foreground, nothing),
		Entry("a SIGTSTP of unknown origin at the terminal", syscall.SIGTSTP, unknown, foreground, nothing),
		Entry("a SIGWINCH of unknown origin at the terminal", syscall.SIGWINCH, unknown, foreground, nothing),
		Entry("a SIGTTOU of unknown origin", syscall.SIGTTOU, unknown, background, nothing),
		Entry("a SIGINT of unknown origin elsewhere", syscall.SIGINT, unknown, background, passOn),
		Entry("a SIGTSTP of unknown origin elsewhere", syscall.SIGTSTP, unknown, background, passOn),
		Entry("a SIGHUP of unknown origin, wherever", syscall.SIGHUP, unknown, foreground, passOn),
		Entry("a SIGTERM of unknown origin at the terminal", syscall.SIGTERM, unknown, foreground, passOn),
		Entry("a SIGXCPU of unknown origin", syscall.SIGXCPU, unknown, background, passOn),
	)

	It("continues a stopped child, whatever it comes from", func() {
		for _, from := range []sender{unknown, theKernel, anyProcess, theChild} {
			Expect(whileItLives(notice{signal: syscall.SIGCONT, from: from}, true)).To(Equal(goOn))
		}
	})
})

var _ = Describe("A signal that comes after the child's end", func() {
	It("ends this process if it would end a program, wherever it comes from", func() {
		for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGALRM} {
			for _, from := range []sender{unknown, theKernel, anyProcess, theChild} {
				Expect(afterItsEnd(notice{signal: s, from: from}, false)).To(Equal(endHere), "%v", s)
			}
		}
	})

	It("stops it if that was ^Z", func() {
		Expect(afterItsEnd(notice{signal: syscall.SIGTSTP, from: theKernel}, false)).To(Equal(stopHere))
	})

	It("does nothing else", func() {
		for _, s := range []syscall.Signal{syscall.SIGCONT, syscall.SIGWINCH, syscall.SIGTTIN, syscall.SIGTTOU} {
			Expect(afterItsEnd(notice{signal: s, from: anyProcess}, false)).To(Equal(nothing), "%v", s)
		}
	})

	It("is the one that the child died of if it comes at once, and else another one", func() {
		Expect(isEcho(syscall.SIGINT, syscall.SIGINT, 0)).To(BeTrue())
		Expect(isEcho(syscall.SIGTERM, syscall.SIGINT, 0)).To(BeFalse())
		Expect(isEcho(syscall.SIGINT, syscall.WaitStatus(0).Signal(), 0)).To(BeFalse(), "the child exited")
		Expect(isEcho(syscall.SIGINT, syscall.SIGINT, echoTime)).To(BeFalse())
	})

	It("does nothing if this process was started with the signal ignored", func() {
		for _, s := range passed {
			Expect(afterItsEnd(notice{signal: s, from: anyProcess}, true)).To(Equal(nothing), "%v", s)
		}
	})
})

var _ = Describe("The signals that are heard", func() {
	It("include those of terminals and jobs, each once", func() {
		sorted := slices.Sorted(slices.Values(passed))
		Expect(slices.Compact(slices.Clone(sorted))).To(Equal(sorted))
		Expect(passed).To(ContainElements(ofTerminal))
		Expect(passed).To(ContainElements(ofJobs))
	})

	It("are none that Go's runtime needs, and none of a fault", func() {
		for _, s := range []syscall.Signal{syscall.SIGURG, syscall.SIGPROF, syscall.SIGCHLD, syscall.SIGPIPE, syscall.SIGSEGV,
			syscall.SIGBUS, syscall.SIGFPE, syscall.SIGILL, syscall.SIGTRAP, syscall.SIGSYS, syscall.SIGKILL, syscall.SIGSTOP} {
			Expect(passed).NotTo(ContainElement(s))
		}
	})
})

var _ = Describe("A stop of the child", func() {
	It("is followed where a shell sees it, and nowhere else", func() {
		Expect(followsStop(true, 7, 7)).To(BeTrue())
		Expect(followsStop(false, 7, 7)).To(BeFalse(), "no terminal")
		Expect(followsStop(true, 7, 5)).To(BeFalse(), "the parent is in another session")
	})
})
