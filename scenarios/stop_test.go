//go:build darwin || linux

package scenarios_test

import (
	"fmt"
	"strings"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

// stop runs monitor stop, which succeeds and says nothing.
func stop(words ...string) {
	GinkgoHelper()
	result := stage.Run(append([]string{"monitor", "stop"}, words...)...)
	Expect(result).To(And(
		HaveField("Status", harness.Status{}), HaveField("Stdout", ""), HaveField("Stderr", ""),
	))
}

var _ = Describe("monitor stop", ours, func() {
	It("ends the command and what it started, and returns when the runtime is gone", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("web", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		child := owner.Fork("child", harness.OwnSession)
		stray := owner.DoubleFork("stray", harness.OwnSession)
		stop("web")
		Expect(listed(ctx, "web")).To(BeFalse())
		for _, p := range []*harness.Puppet{owner, child, stray} {
			Eventually(ctx, p.Gone()).Should(BeClosed())
		}
		Expect(job.Wait()).To(Equal(harness.Status{Signal: syscall.SIGTERM}))
		expectEmptyStore(ctx)
	}, limit)

	It("kills what does not end in time", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("deaf", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		owner.Ignore(syscall.SIGTERM, syscall.SIGINT)
		stop("deaf", "--signal", "int", "--grace", "0")
		Expect(job.Wait()).To(Equal(harness.Status{Signal: syscall.SIGKILL}))
		expectEmptyStore(ctx)
	}, limit)

	It("ends all runtimes of the store, each monitor's own included", func(ctx SpecContext) {
		c := startCrowd(3)
		stage.Start("monitor", "run", "--no-resident", "--name", "apart", "--", "puppet", "apart")
		stage.Puppet("apart")
		stop("--all")
		Expect(monitor.List(ctx)).To(BeEmpty())
		Expect(c.job.Wait()).To(Equal(harness.Status{}))
	}, limit)

	It("ends the others though one of the names is wrong", func(ctx SpecContext) {
		c := startCrowd(2)
		result := stage.Run("monitor", "stop", "crowd-1", "nosuch", "crowd-2")
		Expect(result.Status).To(Equal(harness.Status{Code: 1}))
		Expect(result.Stderr).To(Equal("monitor: runtime \"nosuch\" does not exist\n"))
		Expect(monitor.List(ctx)).To(BeEmpty())
		Expect(c.job.Wait()).To(Equal(harness.Status{}))
	}, limit)

	It("ends the runtime that it is called in after all others", func(ctx SpecContext) {
		c := startCrowd(2)
		job := stage.Start(monitor.Run("own", "sh", "-c", "monitor stop --all")...)
		Expect(job.Wait()).To(Equal(harness.Status{Signal: syscall.SIGTERM}), job.Output())
		expectRemoved(ctx, "own", job.Oracle())
		expectEmptyStore(ctx)
		Expect(c.job.Wait()).To(Equal(harness.Status{}))
	}, limit)

	It("goes on with the next monitor where the first was killed", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("deaf", "puppet", "owner")...)
		stage.Puppet("owner").Ignore(syscall.SIGTERM)
		first := stage.Start("monitor", "stop", "deaf", "--grace", "1h")
		Eventually(ctx, func() string { return stage.Run("monitor", "info", "deaf").Stdout }).Should(MatchRegexp(`state: +stopping\nreason: +it was told to stop`))
		pair := expectPair(ctx)
		fell(ctx, pair.Guard, pair.Resident)
		expectKept(ctx, "deaf", job.Oracle())
		Eventually(ctx, func() string { return stage.Run("monitor", "info", "deaf").Stdout }).Should(MatchRegexp(`state: +stopping\nreason: +it was told to stop`))
		stop("deaf", "--grace", "0")
		Expect(job.Wait()).To(Equal(harness.Status{Signal: syscall.SIGKILL}))
		Expect(first.Wait()).To(Equal(harness.Status{}), first.Output())
		expectEmptyStore(ctx)
	}, limit)

	It("leaves no survivor of fifty that a job tried to lose", Label("linux"), func(ctx SpecContext) {
		script := perl() + ` -e '
			for (1 .. 50) {
				next if fork;
				require POSIX; POSIX::setsid(); exit if fork; POSIX::close($_) for 0 .. 255;
				exec "env", "-i", "sleep", "1000";
			}
			1 while wait > 0;
			sleep 1000'`
		job := stage.Start(monitor.Run("agent", "sh", "-c", script)...)
		Eventually(ctx, func() ([]int, error) { return gemini.Members(ctx, "agent") }).Should(HaveLen(52))
		members, err := gemini.Members(ctx, "agent")
		Expect(err).NotTo(HaveOccurred())
		stop("agent", "--grace", "0")
		// The warden adopts whatever the job leaves, and knows a zombie from a process. The
		// resident is a process of the job as well.
		for _, m := range job.Members() {
			Expect(members).NotTo(ContainElement(m.PID), "%v", m)
		}
		Expect(job.Wait().Signal).NotTo(BeZero())
		expectEmptyStore(ctx)
	}, limit)

	It("says what it waits for on a terminal", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("deaf", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		owner.Ignore(syscall.SIGTERM)
		shell := stage.Terminal("monitor", "stop", "deaf", "--grace", "1h")
		shell.ExpectScreen(fmt.Sprintf("waiting for deaf (1: %d", owner.PID()))
		owner.Exit(0)
		Expect(shell.Wait()).To(Equal(harness.Status{}))
		Expect(strings.TrimSpace(shell.Screen())).To(BeEmpty())
		Expect(job.Wait()).To(Equal(harness.Status{}))
	}, limit)
})
