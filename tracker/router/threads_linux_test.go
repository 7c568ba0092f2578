package router

import (
	"bufio"
	"fmt"

	"os"
	"runtime"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/internal/testproc"
)

// threaded is a process whose second thread tells its id, waits at gate 0 and ends. The first
// one waits at gate 1.
func threaded() {
	over := make(chan struct{})
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		fmt.Println("thread", unix.Gettid())
		waitAt(0)
		close(over)
	}()
	<-over
	for unix.Tgkill(os.Getpid(), os.Getpid(), 0) == nil {
		fmt.Println("ended", os.Getpid())
		break
	}
	waitAt(1)
}

// waitAt waits at a gate: descriptors from 4 on.
func waitAt(gate int) {
	_, _ = bufio.NewReader(os.NewFile(uintptr(4+gate), "gate")).ReadByte()
}

var _ = withRouter("A call from a thread", func(open func(...func(*Options[string])) *Router[string]) {
	It("is answered as its process, and by nothing once the thread has ended", func(ctx SpecContext) {
		r := open()
		root := testproc.Lead(2, testproc.Played("threaded"))
		_, thread := root.Person()
		Expect(thread).NotTo(Equal(root.Pid))
		strange(r, thread)
		route := registered(ctx, r, root.Pid, "a")
		belongs(r, thread, "a")
		belongs(r, root.Pid, "a")
		route.Set("b")
		belongs(r, thread, "b")
		root.Open(0)
		root.Person()
		Eventually(ctx, func() bool { _, ok := r.Of(thread); return ok }).Should(BeFalse())
		belongs(r, root.Pid, "b")
		root.Open(1)
		empties(ctx, route)
	}, testproc.Patience)
})

var _ = Describe("A guard", Label("linux"), func() {
	DescribeTable("shows that its process has ended, and not by another sign", func(ctx SpecContext, guardOf func(pid int) guard) {
		root := testproc.Perl(1, `wait_at(0)`)
		g, err := newGuards()
		Expect(err).NotTo(HaveOccurred())
		x := guardOf(root.Pid)
		defer g.close(&x)
		Expect(g.alive(&x)).To(BeTrue())
		root.Open(0)
		root.Reap()
		Expect(g.alive(&x)).To(BeFalse())
	},
		Entry("as a pidfd", testproc.Patience, func(pid int) guard {
			fd, err := unix.PidfdOpen(pid, 0)
			Expect(err).NotTo(HaveOccurred())
			return guard{int32(fd), true}
		}),
		Entry("as a file of /proc, where pidfds are refused", testproc.Patience, func(pid int) guard {
			fd, err := unix.Open("/proc/"+testproc.Itoa(pid)+"/comm", unix.O_RDONLY|unix.O_CLOEXEC, 0)
			Expect(err).NotTo(HaveOccurred())
			return guard{int32(fd), false}
		}),
	)
})
