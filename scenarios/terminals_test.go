//go:build darwin || linux

package scenarios_test

import (
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

var _ = Describe("At a terminal", func() {
	for _, kind := range harness.Kinds {
		Context("of "+string(kind), Label("shell:"+string(kind)), func() {
			var sh *harness.Shell

			BeforeEach(func(ctx SpecContext) {
				needs(kind)
				sh = stage.AtTerminal(kind, monitor.Shell("window")...)
				sh.Prompt()
			})

			It("^C ends the foreground job and not the runtime", func(ctx SpecContext) {
				sh.Send("puppet fore")
				fore := stage.Puppet("fore")
				_, status := sh.Interrupt()
				Expect(status).To(Equal(128 + int(syscall.SIGINT)))
				Eventually(ctx, fore.Gone()).Should(BeClosed())
				expectKept(ctx, "window", sh.Oracle())
				sh.Exit()
				expectRemoved(ctx, "window", sh.Oracle())
			}, limit)

			It("a job stopped with ^Z still keeps the runtime", func(ctx SpecContext) {
				sh.Send("puppet fore")
				fore := stage.Puppet("fore")
				sh.Suspend()
				expectKept(ctx, "window", sh.Oracle())
				sh.Foreground()
				fore.Exit(0)
				sh.Prompt()
				sh.Exit()
				expectRemoved(ctx, "window", sh.Oracle())
			}, limit)

			It("a job that goes on in the background keeps the runtime when the shell has gone", func(ctx SpecContext) {
				sh.Send("(trap '' HUP; puppet job)")
				job := stage.Puppet("job")
				sh.Suspend()
				sh.Background()
				shells, err := sh.ForegroundGroup()
				Expect(err).NotTo(HaveOccurred())
				Expect(job.Report().Group).NotTo(Equal(shells))
				Expect(stage.Signal(sh.PID(), syscall.SIGKILL)).To(Succeed()) // at exit, some shells ask first
				sh.Wait()
				expectKept(ctx, "window", sh.Oracle())
				job.Exit(0)
				expectRemoved(ctx, "window", sh.Oracle())
			}, limit)

			It("the shell of a runtime has the size of its window, also after a change", func(ctx SpecContext) {
				sh.Resize(37, 91)
				Expect(sh.Run("stty size </dev/tty")).To(ContainSubstring("37 91"))
				expectKept(ctx, "window", sh.Oracle())
				sh.Exit()
				expectRemoved(ctx, "window", sh.Oracle())
			}, limit)

			It("closing the window ends the shell, its foreground job and the runtime", func(ctx SpecContext) {
				sh.Send("puppet fore")
				fore := stage.Puppet("fore")
				sh.Hangup()
				sh.Wait()
				Eventually(ctx, fore.Gone()).Should(BeClosed())
				expectRemoved(ctx, "window", sh.Oracle())
			}, limit)

			It("a process that ignores the hang-up keeps the runtime when the window closes", func(ctx SpecContext) {
				sh.Run("(trap '' HUP; puppet leaf </dev/null >/dev/null 2>&1 &)")
				leaf := stage.Puppet("leaf")
				Expect(leaf.WriteTerminal("here")).To(Succeed())
				sh.Hangup()
				sh.Wait()
				Expect(leaf.WriteTerminal("still here")).NotTo(Succeed(), "the window is still there: the spec proves nothing")
				expectKept(ctx, "window", sh.Oracle())
				leaf.Exit(0)
				expectRemoved(ctx, "window", sh.Oracle())
			}, limit)

			It("the leader's death by a signal ends the runtime", func(ctx SpecContext) {
				Expect(stage.Signal(sh.PID(), syscall.SIGKILL)).To(Succeed())
				Expect(sh.Wait()).To(Equal(harness.Status{Signal: syscall.SIGKILL}))
				expectRemoved(ctx, "window", sh.Oracle())
			}, limit)
		})
	}

	It("a signal to the monitor reaches no process of the runtime, nor the other way round", ours, func(ctx SpecContext) {
		sh := stage.Shell(harness.Sh)
		sh.Send("monitor run --name group -- puppet owner")
		owner := stage.Puppet("owner")
		watcher := monitorOf(ctx, "group")
		group, err := syscall.Getpgid(watcher)
		Expect(err).NotTo(HaveOccurred())
		Expect(group).NotTo(Equal(owner.Report().Group), "^C would reach the monitor")
		Expect(group).NotTo(Equal(sh.PID()))
		sh.Hangup()
		sh.Wait()
		expectRemoved(ctx, "group", sh.Oracle())
	}, limit)
})
