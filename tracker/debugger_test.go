//go:build darwin || linux

package tracker

import (
	"bufio"
	"fmt"
	"os"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"
)

// tracer is the part of a debugger: it attaches to a process, which stops, and
// lets go when told. It never waits for what it traces to end.
func tracer() {
	pid := variable(rootVariable)
	if err := unix.PtraceAttach(pid); err != nil {
		fmt.Println(err)
		return
	}
	var status unix.WaitStatus
	_, err := unix.Wait4(pid, &status, unix.WUNTRACED, nil)
	for err == unix.EINTR {
		_, err = unix.Wait4(pid, &status, unix.WUNTRACED, nil)
	}
	must(err)
	fmt.Println("attached")
	orders := bufio.NewScanner(os.Stdin)
	for orders.Scan() {
		must(unix.PtraceDetach(pid))
		fmt.Println("detached")
	}
}

var _ = withTracker("A tree with a debugger in it", func(open func() *Tracker) {
	// debug attaches a debugger, or skips the spec where none may be.
	debug := func(pid int) (debugger *root, tells *os.File) {
		hears, tells, err := os.Pipe()
		Expect(err).NotTo(HaveOccurred())
		c := played("tracer", rootVariable+"="+itoa(pid))
		c.in = hears
		debugger = lead(0, c)
		Expect(hears.Close()).To(Succeed())
		DeferCleanup(func() { tells.Close() }) // which ends it, if that was not done
		if line := debugger.line(); line != "attached" {
			Skip("processes cannot be traced here: " + line)
		}
		return debugger, tells
	}

	It("is followed by the real parents", func(ctx SpecContext) {
		r := perl(2, `child { report("child $$"); wait_at(1) }; wait_at(0)`)
		_, child := r.person()
		debugger, tells := debug(r.Pid)
		traced := look(ctx, r.Pid)
		Expect(traced.Parent).To(Equal(os.Getpid()))
		Expect(traced.Tracer).To(Or(Equal(debugger.Pid), BeZero())) // Linux does not say
		tree := follow(ctx, open(), r.Pid)
		ended := ends(ctx, tree, r.oracle)
		members(ctx, tree, r.Pid, child)
		lives(ctx, tree, r.oracle)
		fmt.Fprintln(tells)
		Expect(debugger.line()).To(Equal("detached"))
		lives(ctx, tree, r.oracle)
		r.open(0)
		members(ctx, tree, child)
		lives(ctx, tree, r.oracle)
		r.open(1)
		Eventually(ctx, ended).Should(Receive(Equal(inTime)))
	}, patience)

	It("is empty when the traced have died, though only the debugger was told", func(ctx SpecContext) {
		r := perl(1, `report("root $$"); wait_at(0)`)
		r.persons(1)
		debug(r.Pid)
		tree := follow(ctx, open(), r.Pid)
		ended := ends(ctx, tree, r.oracle)
		Expect(r.Signal(syscall.SIGKILL)).To(Succeed())
		Eventually(ctx, ended).Should(Receive(Equal(inTime)))
	}, patience)

	It("is empty when the debugger came later and has gone", func(ctx SpecContext) {
		r := perl(1, `report("root $$"); wait_at(0)`)
		r.persons(1)
		tree := follow(ctx, open(), r.Pid)
		ended := ends(ctx, tree, r.oracle)
		debugger, tells := debug(r.Pid)
		Expect(r.Signal(syscall.SIGKILL)).To(Succeed())
		// XNU announces the exit to others only after the debugger has waited
		// or gone.
		Expect(tells.Close()).To(Succeed())
		debugger.reap()
		Eventually(ctx, ended).Should(Receive(Equal(inTime)))
	}, patience)

	It("is empty when a traced orphan has died, which XNU may announce to nobody", func(ctx SpecContext) {
		r := perl(2, `child { POSIX::setsid(); report("child $$"); wait_at(1) }; wait_at(0)`)
		_, child := r.person()
		tree := follow(ctx, open(), r.Pid)
		ended := ends(ctx, tree, r.oracle)
		debugger, tells := debug(child)
		r.open(0)
		r.reap()
		members(ctx, tree, child)
		lives(ctx, tree, r.oracle)
		Expect(ended).NotTo(Receive())
		Expect(syscall.Kill(child, syscall.SIGKILL)).To(Succeed())
		Expect(tells.Close()).To(Succeed())
		debugger.reap()
		Eventually(ctx, ended).Should(Receive(Equal(inTime)))
	}, patience)
})
