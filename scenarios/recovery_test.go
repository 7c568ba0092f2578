//go:build darwin || linux

package scenarios_test

import (
	"context"
	"fmt"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

var _ = Describe("A monitor of one runtime", ours, func() {
	BeforeEach(alone)

	It("that is killed leaves everything, and the next one continues", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("orphaned", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		leaf := owner.Fork("leaf", harness.OwnSession)
		Eventually(ctx, func() ([]int, error) { return gemini.Members(ctx, "orphaned") }).Should(ContainElement(leaf.PID()))
		end(ctx, "orphaned", syscall.SIGKILL)
		owner.Exit(0)
		job.Wait()
		expectKept(ctx, "orphaned", job.Oracle())

		next := stage.Start("monitor", "serve", "orphaned")
		expectKept(ctx, "orphaned", job.Oracle())
		Expect(next.Exited()).NotTo(BeClosed(), next.Output())
		leaf.Exit(0)
		expectRemoved(ctx, "orphaned", job.Oracle())
		Expect(next.Wait()).To(Equal(harness.Status{}), next.Output())
		expectEmptyStore(ctx)
	}, limit)

	It("that is killed when no process lives leaves a runtime that the next one removes", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("abandoned", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		end(ctx, "abandoned", syscall.SIGKILL)
		owner.Exit(0)
		job.Wait()
		Expect(monitor.List(ctx)).To(ConsistOf("abandoned"))
		next := stage.Start("monitor", "serve", "abandoned")
		Expect(next.Wait()).To(Equal(harness.Status{}), next.Output())
		expectRemoved(ctx, "abandoned", job.Oracle())
	}, limit)

	// It inherits the lease, and it descends from the owner or was a member itself.
	DescribeTable("that is started in its own runtime does not wait for itself", func(ctx SpecContext, begin func(owner, member *harness.Puppet)) {
		job := stage.Start(monitor.Run("own", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		member := owner.Fork("member")
		Eventually(ctx, func() ([]int, error) { return gemini.Members(ctx, "own") }).Should(ContainElement(member.PID()))
		end(ctx, "own", syscall.SIGKILL)
		begin(owner, member)
		expectRemoved(ctx, "own", job.Oracle())
		job.Wait()
	},
		Entry("in the background, by the owner", func(owner, member *harness.Puppet) {
			owner.Exec("sh", "-c", `(trap '' HUP; monitor serve own &); until monitor list | grep running; do :; done`)
			member.Exit(0)
		}, limit),
		Entry("by a member, which becomes it", func(owner, member *harness.Puppet) {
			member.Exec("monitor", "serve", "own")
			owner.Exit(0)
		}, limit),
	)

	It("that the owner of the runtime would become is refused, and leaves everything", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("own", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		end(ctx, "own", syscall.SIGKILL)
		owner.Exec("monitor", "serve", "own")
		Expect(job.Wait()).To(Equal(harness.Status{Code: 1}))
		Expect(job.Output()).To(MatchRegexp(`(?m)^monitor: .*"own" cannot be watched: .* does not follow its own process\r?$`))
		next := stage.Run("monitor", "serve", "own")
		Expect(next.Status).To(Equal(harness.Status{}), next.Stderr)
		expectEmptyStore(ctx)
	}, limit)

	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGXCPU} {
		It(fmt.Sprintf("that is sent signal %d ends and leaves everything as it is", signal), func(ctx SpecContext) {
			job := stage.Start(monitor.Run("left", "puppet", "owner")...)
			owner := stage.Puppet("owner")
			end(ctx, "left", signal)
			expectKept(ctx, "left", job.Oracle())
			Expect(owner.Report().PID).To(Equal(job.PID()))
			owner.Exit(0)
			job.Wait()
			passTime(ctx)
			Expect(monitor.List(ctx)).To(ConsistOf("left"), "it has no monitor, so it stays until a command is asked to remove it")
			next := stage.Start("monitor", "serve", "left")
			Expect(next.Wait()).To(Equal(harness.Status{}), next.Output())
			expectEmptyStore(ctx)
		}, limit)
	}

	It("is the only one of its runtime: a second one reports the first", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("taken", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		second := stage.Run("monitor", "serve", "taken")
		Expect(second.Status).To(Equal(harness.Status{Code: 1}))
		Expect(second.Stderr).To(ContainSubstring(fmt.Sprint(monitorOf(ctx, "taken"))))
		expectKept(ctx, "taken", job.Oracle())
		owner.Exit(0)
		expectRemoved(ctx, "taken", job.Oracle())
	}, limit)

	It("that was stopped for a while is right afterwards", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("paused", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		resume := pause(monitorOf(ctx, "paused"))
		middle := owner.Fork("middle", harness.OwnSession)
		leaf := middle.Fork("leaf", harness.OwnSession)
		middle.Exit(0)
		owner.Reap(middle.PID())
		owner.Exit(0)
		job.Wait()
		resume()
		expectKept(ctx, "paused", job.Oracle())
		leaf.Exit(0)
		expectRemoved(ctx, "paused", job.Oracle())
	}, limit)

	It("that was stopped while thousands of processes lived and ended finds the one that stayed", Label("slow"), func(ctx SpecContext) {
		// Thousands of notices are queued for it, the last of them about a daemon.
		storm := `use POSIX; for (1..2000) { my $p = fork; POSIX::_exit(0) unless $p; waitpid $p, 0 }
			POSIX::_exit(0) if fork; POSIX::setsid(); exec "puppet", "leaf"`
		job := stage.Start(monitor.Run("storm", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		resume := pause(monitorOf(ctx, "storm"))
		owner.Exec(perl(), "-e", storm)
		Eventually(ctx, job.Exited(), "100s").Should(BeClosed(), "the storm goes on") // a busy machine makes it slow
		leaf := stage.Puppet("leaf")
		resume()
		expectKept(ctx, "storm", job.Oracle())
		leaf.Exit(0)
		expectRemoved(ctx, "storm", job.Oracle())
	}, limit)
})

// monitorOf returns the PID of the monitor of the runtime.
func monitorOf(ctx context.Context, name string) int {
	GinkgoHelper()
	pid, err := gemini.PID(ctx, name)
	Expect(err).NotTo(HaveOccurred())
	return pid
}

// end signals the monitor of a runtime and waits until it has ended. init reaps it at
// once, so its PID is free then.
func end(ctx context.Context, name string, signal syscall.Signal) {
	GinkgoHelper()
	pid := monitorOf(ctx, name)
	Expect(stage.Signal(pid, signal)).To(Succeed())
	Eventually(ctx, func() error { return syscall.Kill(pid, 0) }).Should(MatchError(syscall.ESRCH))
}
