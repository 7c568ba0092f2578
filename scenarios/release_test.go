//go:build darwin || linux

package scenarios_test

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

// release runs monitor release, which succeeds and prints nothing.
func release(name string, pid int) {
	GinkgoHelper()
	Expect(stage.Run("monitor", "release", name, strconv.Itoa(pid))).To(And(
		HaveField("Status", harness.Status{}), HaveField("Stdout", ""), HaveField("Stderr", ""),
	))
}

// expectEnded waits until a runtime has gone, whatever lives.
func expectEnded(ctx context.Context, name string) {
	GinkgoHelper()
	Eventually(ctx, func() (bool, error) { return listed(ctx, name) }).Should(BeFalse(), "runtime %s stays: %s", name,
		stage.Run("monitor", "why", name).Stdout)
	Eventually(ctx, gemini.Path(name)).ShouldNot(BeADirectory())
}

// needsHolders skips the spec where the holders of a lease cannot be found out.
func needsHolders() {
	if os.Getenv("HARNESS_EXEC") != "" {
		Skip("lsof(8) does not know the files of programs that run as on another system")
	}
	if os.Getuid() != 0 {
		Skip("this user does not see the files of others: a process of theirs that begins meanwhile may hold the lease as well")
	}
	if runtime.GOOS != "darwin" {
		return
	}
	if _, err := exec.LookPath("lsof"); err != nil {
		if _, err := os.Stat("/usr/sbin/lsof"); err != nil {
			Skip("lsof(8) is not installed, so the holders of a lease cannot be found out")
		}
	}
}

var _ = Describe("monitor release", ours, func() {
	It("lets an agent that holds the lease live on, and what it makes, when the runtime ends", Label("holders"), func(ctx SpecContext) {
		needsHolders()
		job := stage.Start(monitor.Run("build", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		agent := owner.Fork("agent", harness.OwnSession)
		before := agent.Fork("before")
		release("build", agent.PID())
		after := agent.Fork("after")
		Expect(gemini.Members(ctx, "build")).To(ConsistOf(owner.PID()))
		owner.Exit(0)
		Expect(job.Wait()).To(Equal(harness.Status{}))
		expectEnded(ctx, "build")
		for _, p := range []*harness.Puppet{before, after, agent} {
			Expect(p.Report().PID).To(Equal(p.PID()))
			p.Exit(0)
		}
		expectEmptyStore(ctx)
	}, limit)

	It("keeps the runtime for all others", Label("holders"), func(ctx SpecContext) {
		needsHolders()
		job := stage.Start(monitor.Run("build", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		agent := owner.Fork("agent", harness.OwnSession)
		stray := owner.DoubleFork("stray", harness.OwnSession)
		release("build", agent.PID())
		owner.Exit(0)
		Expect(job.Wait()).To(Equal(harness.Status{}))
		expectKept(ctx, "build", witnessOf(stray))
		Expect(gemini.Members(ctx, "build")).To(ConsistOf(stray.PID()))
		stray.Exit(0)
		expectEnded(ctx, "build")
		Expect(agent.Report().PID).To(Equal(agent.PID()))
		agent.Exit(0)
	}, limit)

	It("is known to the next monitor where the first was killed", Label("holders"), func(ctx SpecContext) {
		needsHolders()
		job := stage.Start(monitor.Run("build", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		agent := owner.Fork("agent", harness.OwnSession)
		release("build", agent.PID())
		pair := expectPair(ctx)
		fell(ctx, pair.Guard, pair.Resident)
		child := agent.Fork("child") // while nothing watches
		Expect(stage.Run("monitor", "prune").Status).To(Equal(harness.Status{}))
		Eventually(ctx, func() ([]int, error) { return gemini.Members(ctx, "build") }).Should(ConsistOf(owner.PID()))
		expectKept(ctx, "build", witnessOf(owner))
		release("build", agent.PID())
		owner.Exit(0)
		Expect(job.Wait()).To(Equal(harness.Status{}))
		expectEnded(ctx, "build")
		child.Exit(0)
		agent.Exit(0)
	}, limit)

	It("is done by the monitor of a single runtime too", Label("holders"), func(ctx SpecContext) {
		needsHolders()
		job := stage.Start("monitor", "run", "--no-resident", "--name", "build", "--", "puppet", "owner")
		owner := stage.Puppet("owner")
		agent := owner.Fork("agent")
		release("build", agent.PID())
		owner.Exit(0)
		Expect(job.Wait()).To(Equal(harness.Status{}))
		expectEnded(ctx, "build")
		Expect(agent.Report().PID).To(Equal(agent.PID()))
		agent.Exit(0)
	}, limit)

	It("ends the runtime at once where the process is the command", Label("holders"), func(ctx SpecContext) {
		needsHolders()
		job := stage.Start(monitor.Run("whole", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		child := owner.Fork("child", harness.OwnSession)
		release("whole", owner.PID())
		expectEnded(ctx, "whole")
		child.Exit(0)
		owner.Exit(0)
		Expect(job.Wait()).To(Equal(harness.Status{}))
	}, limit)

	It("needs no look at the holders where the process has closed what it inherited", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("build", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		agent := owner.Fork("agent", harness.OwnSession)
		agent.CloseInherited()
		release("build", agent.PID())
		owner.Exit(0)
		Expect(job.Wait()).To(Equal(harness.Status{}))
		expectEnded(ctx, "build")
		agent.Exit(0)
	}, limit)

	It("leaves the process alone when the runtime is stopped", Label("holders"), func(ctx SpecContext) {
		needsHolders()
		job := stage.Start(monitor.Run("build", "puppet", "owner")...)
		agent := stage.Puppet("owner").Fork("agent", harness.OwnSession)
		release("build", agent.PID())
		stop("build")
		Expect(job.Wait()).To(Equal(harness.Status{Signal: syscall.SIGTERM}))
		Expect(agent.Report().PID).To(Equal(agent.PID()))
		agent.Exit(0)
	}, limit)

	It("shows the process apart from the members", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("build", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		agent := owner.Fork("agent", harness.OwnSession)
		release("build", agent.PID())
		pid := strconv.Itoa(agent.PID())
		Expect(stage.Run("monitor", "info", "build").Stdout).To(MatchRegexp(`(?m)^members: +1\nreleased: +PID %s,`, pid))
		Expect(stage.Run("monitor", "tree", "build").Stdout).To(MatchRegexp(`(?m)^%d .*\nreleased, running on:\n%s .*\n$`, owner.PID(), pid))
		Expect(stage.Run("monitor", "tree", "-q", "build").Stdout).To(Equal(strconv.Itoa(owner.PID()) + "\n"))
		Expect(stage.Run("monitor", "why", "build").Stdout).To(MatchRegexp(`(?m)^%s .*: released, and runs on; it does not keep the runtime$`, pid))
		Expect(stage.Run("monitor", "which", pid)).To(And(
			HaveField("Status.Code", 1), HaveField("Stderr", "monitor: process "+pid+" is in no runtime\n")))
		agent.Exit(0)
		Eventually(ctx, func() string { return stage.Run("monitor", "info", "build").Stdout }).ShouldNot(ContainSubstring("released"))
		owner.Exit(0)
		expectRemoved(ctx, "build", job.Oracle())
	}, limit)

	It("is no runtime for what the process runs later", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("build", "sh", "-c", `sh -c 'monitor release build $$ && monitor info; echo code $?'; echo end`)...)
		Expect(job.Wait()).To(Equal(harness.Status{}), job.Output())
		Expect(job.Output()).To(Equal("monitor: No active runtime\ncode 1\nend\n"))
		expectRemoved(ctx, "build", job.Oracle())
	}, limit)

	DescribeTable("is refused", func(ctx SpecContext, message string, argv func(owner *harness.Puppet) []string) {
		job := stage.Start(monitor.Run("build", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		result := stage.Run(append([]string{"monitor", "release"}, argv(owner)...)...)
		Expect(result).To(And(
			HaveField("Status.Code", Or(Equal(1), Equal(2))), HaveField("Stdout", ""), HaveField("Stderr", MatchRegexp(`^monitor: `+message+`\n$`))))
		Expect(gemini.Members(ctx, "build")).To(ConsistOf(owner.PID()))
		owner.Exit(0)
		expectRemoved(ctx, "build", job.Oracle())
	},
		Entry("where the runtime does not exist", `runtime "nosuch" does not exist`, func(owner *harness.Puppet) []string {
			return []string{"nosuch", strconv.Itoa(owner.PID())}
		}, limit),
		Entry("where the process is no member", `process \d+ is no member of runtime "build"`, func(*harness.Puppet) []string {
			return []string{"build", strconv.Itoa(os.Getpid())}
		}, limit),
		Entry("where there is no such process", `process 2147483647 does not exist`, func(*harness.Puppet) []string {
			return []string{"build", "2147483647"}
		}, limit),
		Entry("where it is no PID", `"x" is no PID`, func(*harness.Puppet) []string { return []string{"build", "x"} }, limit),
		Entry("where a word is missing", `release takes the name of a runtime and a PID; see 'monitor help release'`,
			func(*harness.Puppet) []string { return []string{"build"} }, limit),
	)

	It("is refused for a member of a runtime inside, and takes that along with what has made it", Label("holders"), func(ctx SpecContext) {
		needsHolders()
		job := stage.Start(monitor.Run("outer", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		agent := owner.Fork("agent", harness.OwnSession)
		agent.Spawn(monitor.Run("inner", "puppet", "inside")...)
		inside := stage.Puppet("inside")
		result := stage.Run("monitor", "release", "outer", strconv.Itoa(inside.PID()))
		Expect(result.Status).To(Equal(harness.Status{Code: 1}))
		Expect(result.Stderr).To(MatchRegexp(`^monitor: process %d is a member of a runtime inside of "outer"`, inside.PID()))
		release("outer", agent.PID())
		owner.Exit(0)
		Expect(job.Wait()).To(Equal(harness.Status{}))
		expectEnded(ctx, "outer")
		expectKept(ctx, "inner", witnessOf(inside))
		inside.Exit(0)
		expectEnded(ctx, "inner")
		agent.Exit(0)
		expectEmptyStore(ctx)
	}, limit)

	It("is not undone by a process that makes others all the time, and is never the end of a member", Label("holders"), func(ctx SpecContext) {
		needsHolders()
		// The daemon makes orphans all the time.
		storm := []string{perl(), "-e", `require POSIX; POSIX::setsid(); while (1) { my $p = fork; if (!$p) { fork; exit } waitpid $p, 0; select undef, undef, undef, .002 }`} // the pause leaves processor time to others; its length decides nothing
		job := stage.Start(monitor.Run("storm", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		leaf := owner.Fork("leaf", harness.OwnSession)
		agent := owner.Fork("agent", harness.OwnSession)
		pid := agent.Spawn(storm...)
		release("storm", agent.PID())
		owner.Exit(0)
		Expect(job.Wait()).To(Equal(harness.Status{}))
		expectKept(ctx, "storm", witnessOf(leaf))
		leaf.Exit(0)
		Expect(stage.Signal(pid, syscall.SIGTERM)).To(Succeed())
		agent.Reap(pid)
		expectEnded(ctx, "storm")
		Expect(agent.Report().PID).To(Equal(agent.PID()))
		agent.Exit(0)
	}, limit)
})
