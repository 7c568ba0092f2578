//go:build darwin || linux

package specs_test

import (
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

var _ = Describe("Job control", func() {
	for _, kind := range harness.Kinds {
		Context("of "+string(kind), Label("shell:"+string(kind)), func() {
			var (
				stage *harness.Stage
				sh    *harness.Shell
			)

			BeforeEach(func(ctx SpecContext) {
				needs(kind)
				stage = newStage()
				sh = stage.Shell(kind)
			})

			It("moves a job to the foreground, stops it and moves it to the foreground again", func(ctx SpecContext) {
				Expect(sh.ForegroundGroup()).To(Equal(sh.PID()))
				sh.Send("puppet fore")
				fore := stage.Puppet("fore")
				Expect(sh.ForegroundGroup()).To(Equal(fore.PID()))
				sh.Suspend()
				Expect(sh.ForegroundGroup()).To(Equal(sh.PID()))
				sh.Foreground()
				Expect(sh.ForegroundGroup()).To(Equal(fore.PID()))
				fore.Exit(3)
				_, status := sh.Prompt()
				Expect(status).To(Equal(3))
			}, SpecTimeout(time.Minute))

			It("continues a stopped job in the background", func(ctx SpecContext) {
				sh.Send("puppet back")
				back := stage.Puppet("back")
				sh.Suspend()
				sh.Background()
				Expect(back.Report().Group).To(Equal(back.PID()))
				Expect(sh.ForegroundGroup()).To(Equal(sh.PID()))
				back.Exit(0)
				sh.Run("wait")
			}, SpecTimeout(time.Minute))

			It("signals a new size to the foreground job", func(ctx SpecContext) {
				perl()
				// The job blocks the signal (28 on both systems) until sigsuspend, so it
				// cannot arrive before that.
				sh.Send(`perl -MPOSIX -e '$SIG{WINCH} = sub { system "stty size"; exit 5 }; $| = 1; ` +
					`sigprocmask(SIG_BLOCK, POSIX::SigSet->new(28)); print "ready\n"; sigsuspend(POSIX::SigSet->new)'`)
				sh.Expect("ready\n")
				sh.Resize(50, 132)
				output, status := sh.Prompt()
				Expect(output).To(Equal("50 132\n"))
				Expect(status).To(Equal(5))
			}, SpecTimeout(time.Minute))

			It("starts at another size", func(ctx SpecContext) {
				stage.TerminalSize(5, 40)
				small := stage.Shell(kind)
				output, _ := small.Run("stty size")
				Expect(output).To(Equal("5 40\n"))
			}, SpecTimeout(time.Minute))
		})
	}
})

// The two ends of a session differ in the processes that get SIGHUP.
var _ = Describe("The end of a session", func() {
	for _, kind := range harness.Kinds {
		Context("of "+string(kind), Label("shell:"+string(kind)), func() {
			var (
				stage      *harness.Stage
				sh         *harness.Shell
				fore, back *harness.Puppet
			)

			// A background job in a group of its own, and a foreground job.
			BeforeEach(func(ctx SpecContext) {
				needs(kind)
				stage = newStage()
				sh = stage.Shell(kind)
				sh.Run("puppet back &")
				back = stage.Puppet("back")
				sh.Send("puppet fore")
				fore = stage.Puppet("fore")
			})

			It("by the leader's death reaches the foreground job only", func(ctx SpecContext) {
				sh.Signal(syscall.SIGKILL)
				Expect(sh.Wait()).To(Equal(harness.Status{Signal: syscall.SIGKILL}))
				Eventually(ctx, fore.Gone()).Should(BeClosed())
				Expect(back.Report().Parent).NotTo(Equal(sh.PID()), "the shell is still its parent")
				back.Exit(0)
				Eventually(ctx, sh.Oracle().Gone()).Should(BeClosed())
			}, SpecTimeout(time.Minute))

			It("by a closed window reaches the leader, which passes it on to its jobs or dies of it", func(ctx SpecContext) {
				sh.Hangup()
				sh.Wait()
				Eventually(ctx, fore.Gone()).Should(BeClosed())
				if kind != harness.Sh { // dash does not pass it on
					Eventually(ctx, back.Gone()).Should(BeClosed())
				}
			}, SpecTimeout(time.Minute))
		})
	}

	It("by a closed window reaches no other process while the leader ignores it", func(ctx SpecContext) {
		stage := newStage()
		sh := stage.AtTerminal(harness.Sh, "puppet", "leader")
		leader := stage.Puppet("leader")
		leader.IgnoreHangup()
		child := leader.Fork("child", harness.OwnGroup)
		sh.Hangup()
		Expect(leader.Report().PID).To(Equal(sh.PID()))
		Expect(child.Report().Parent).To(Equal(sh.PID()))
		leader.Exit(0)
		sh.Wait()
		Expect(child.Report().Parent).NotTo(Equal(sh.PID()), "the child has not become an orphan")
	}, SpecTimeout(time.Minute))
})
