//go:build darwin || linux

package scenarios_test

import (
	"fmt"
	"os"
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
		for _, pid := range members {
			Expect(syscall.Kill(pid, 0)).To(MatchError(syscall.ESRCH))
		}
		Expect(job.Wait().Signal).NotTo(BeZero())
		expectEmptyStore(ctx)
	}, limit)

	It("names a member of another user, which it leaves", Label("linux", "root"), func(ctx SpecContext) {
		if os.Geteuid() != 0 {
			Skip("only root can start a program as another user")
		}
		place, err := os.MkdirTemp("", "user-")
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(os.RemoveAll, place)
		makeFIFO("gate")
		// become, a copy of setpriv that is root's, makes its child wholly root's.
		const script = `cp "$(command -v monitor)" "$0/monitor" && cp "$(command -v setpriv)" "$0/become" && cp "$(command -v cat)" "$0/cat" &&
			chmod 755 "$0" "$0/monitor" "$0/cat" && chmod 4755 "$0/become" && exec 9<"$1" && mkdir "$0/store" && chown 23459 "$0/store" && cd / || exit 9
			exec setpriv --reuid 23459 --clear-groups env HOME="$0" MONITOR_STORE="$0/store" "$0/monitor" run --name mixed -- \
				sh -c '"$0/become" --reuid 0 --regid 0 --clear-groups "$0/cat" <&9 9<&- & exec 9<&-; wait' "$0"`
		job := stage.Start("sh", "-c", script, place, stage.Path("gate"))
		gate := openGate(ctx, "gate")
		as := func(words ...string) harness.Result {
			return stage.Run(append([]string{"setpriv", "--reuid", "23459", "--clear-groups", "env", "-C", "/", "MONITOR_STORE=" + place + "/store", place + "/monitor"}, words...)...)
		}
		Eventually(ctx, func() string { return as("tree", "mixed").Stdout }).Should(MatchRegexp(`\d+ \S+/cat \(`))
		result := as("stop", "mixed", "--grace", "0")
		Expect(result.Status).To(Equal(harness.Status{Code: 1}))
		Expect(result.Stderr).To(MatchRegexp(`^monitor: runtime "mixed" is not stopped: \d+ cat \(root\): it cannot be signalled: operation not permitted\n$`))
		Expect(as("list").Stdout).To(MatchRegexp(`mixed +stopping`))
		Expect(gate.Close()).To(Succeed())
		Expect(job.Wait().Signal).NotTo(BeZero())
		Eventually(ctx, func() string { return as("list", "-q").Stdout }).Should(BeEmpty())
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
