//go:build darwin || linux

package tracker

import (
	"fmt"
	"os"
	"runtime"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/testproc"
)

var _ = withTracker("A tree with a debugger in it", func(open func() *Tracker) {
	// debug attaches a debugger, or skips the spec where none may be.
	debug := func(pid int) (debugger *testproc.Root, tells *os.File) {
		hears, tells, err := os.Pipe()
		Expect(err).NotTo(HaveOccurred())
		c := testproc.Played("tracer", testproc.RootVariable+"="+testproc.Itoa(pid))
		c.In = hears
		debugger = testproc.Lead(0, c)
		Expect(hears.Close()).To(Succeed())
		DeferCleanup(func() { tells.Close() }) // which ends it, if that was not done
		if line := debugger.Line(); line != "attached" {
			Skip("processes cannot be traced here: " + line)
		}
		return debugger, tells
	}

	It("is followed by the real parents", func(ctx SpecContext) {
		r := testproc.Perl(2, `child { report("child $$"); wait_at(1) }; wait_at(0)`)
		_, child := r.Person()
		debugger, tells := debug(r.Pid)
		traced := testproc.Look(ctx, r.Pid)
		Expect(traced.Parent).To(Equal(os.Getpid()))
		if runtime.GOOS == "linux" {
			Expect(traced.Tracer).To(BeZero(), "/proc/PID/stat does not name the debugger")
		} else {
			Expect(traced.Tracer).To(Equal(debugger.Pid))
		}
		tree := follow(ctx, open(), r.Pid)
		ended := ends(ctx, tree, r.Oracle)
		members(ctx, tree, r.Pid, child)
		lives(ctx, tree, r.Oracle)
		fmt.Fprintln(tells)
		Expect(debugger.Line()).To(Equal("detached"))
		lives(ctx, tree, r.Oracle)
		r.Open(0)
		members(ctx, tree, child)
		lives(ctx, tree, r.Oracle)
		r.Open(1)
		Eventually(ctx, ended).Should(Receive(Equal(inTime)))
	}, testproc.Patience)

	It("is empty when the traced have died, though only the debugger was told", func(ctx SpecContext) {
		r := testproc.Perl(1, `report("root $$"); wait_at(0)`)
		r.Persons(1)
		debug(r.Pid)
		tree := follow(ctx, open(), r.Pid)
		ended := ends(ctx, tree, r.Oracle)
		Expect(r.Signal(syscall.SIGKILL)).To(Succeed())
		Eventually(ctx, ended).Should(Receive(Equal(inTime)))
	}, testproc.Patience)

	It("is empty when the debugger came later and has gone", func(ctx SpecContext) {
		r := testproc.Perl(1, `report("root $$"); wait_at(0)`)
		r.Persons(1)
		tree := follow(ctx, open(), r.Pid)
		ended := ends(ctx, tree, r.Oracle)
		debugger, tells := debug(r.Pid)
		Expect(r.Signal(syscall.SIGKILL)).To(Succeed())
		// XNU announces the exit to others only after the debugger has waited
		// or gone.
		Expect(tells.Close()).To(Succeed())
		debugger.Reap()
		Eventually(ctx, ended).Should(Receive(Equal(inTime)))
	}, testproc.Patience)

	It("is empty when a traced orphan has died, which XNU may announce to no process", func(ctx SpecContext) {
		r := testproc.Perl(2, `child { POSIX::setsid(); report("child $$"); wait_at(1) }; wait_at(0)`)
		_, child := r.Person()
		tree := follow(ctx, open(), r.Pid)
		ended := ends(ctx, tree, r.Oracle)
		debugger, tells := debug(child)
		r.Open(0)
		r.Reap()
		members(ctx, tree, child)
		lives(ctx, tree, r.Oracle)
		Expect(ended).NotTo(Receive())
		Expect(syscall.Kill(child, syscall.SIGKILL)).To(Succeed())
		Expect(tells.Close()).To(Succeed())
		debugger.Reap()
		Eventually(ctx, ended).Should(Receive(Equal(inTime)))
	}, testproc.Patience)
})
