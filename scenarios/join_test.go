//go:build darwin || linux

package scenarios_test

import (
	"context"
	"fmt"
	"os"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

// joining returns the command line by which a command joins a runtime.
func joining(name string, command ...string) []string {
	return append([]string{"monitor", "join", name, "--"}, command...)
}

// expectMembers waits until these are the members of a runtime.
func expectMembers(ctx context.Context, name string, all ...*harness.Puppet) {
	GinkgoHelper()
	var pids []int
	for _, p := range all {
		pids = append(pids, p.PID())
	}
	Eventually(ctx, func() ([]int, error) { return gemini.Members(ctx, name) }).Should(ConsistOf(pids))
}

var _ = Describe("monitor join", ours, func() {
	for _, kind := range harness.Kinds {
		It("from a second terminal keeps the runtime when the first one is closed, in "+string(kind), Label("shell:"+string(kind)), func(ctx SpecContext) {
			first := stage.AtTerminal(kind, monitor.Shell("window")...)
			first.Prompt()
			second := stage.Shell(kind)
			second.Send("monitor join window -- puppet guest")
			guest := stage.Puppet("guest")
			leaf := guest.Fork("leaf", harness.OwnSession)
			first.Exit()
			expectMembers(ctx, "window", guest, leaf)
			expectKept(ctx, "window", witnessOf(guest))
			Expect(stage.Run("monitor", "why", "window").Stdout).To(And(
				MatchRegexp(`(?m)^%d .*: joined from outside$`, guest.PID()),
				MatchRegexp(`(?m)^%d .*: child of %d \S+, which joined from outside$`, leaf.PID(), guest.PID())))
			Expect(stage.Run("monitor", "tree", "window").Stdout).To(MatchRegexp(`(?m)^%d .*, joined from outside$`, guest.PID()))
			guest.Exit(3)
			second.Prompt()
			_, status := second.Run("(exit $?)")
			Expect(status).To(Equal(3))
			expectKept(ctx, "window", witnessOf(leaf))
			leaf.Exit(0)
			expectRemoved(ctx, "window", witnessOf(leaf))
		}, limit)
	}

	It("gives the command the environment of the runtime, its PID and its exit status", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("web", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		guest := stage.Start(joining("web", "sh", "-c", `monitor which $$; echo "$MONITOR_RUNTIME $MONITOR_RUNTIME_DIR $MONITOR_STORE $$"; kill -TERM $$`)...)
		Expect(guest.Wait()).To(Equal(harness.Status{Signal: syscall.SIGTERM}))
		Expect(guest.Output()).To(Equal(fmt.Sprintf("web\nweb %s %s %d\n", gemini.Path("web", "root"), gemini.Store, guest.PID())))
		expectMembers(ctx, "web", owner)
		owner.Exit(0)
		expectRemoved(ctx, "web", job.Oracle())
	}, limit)

	It("leaves out what the process had made before, and may be repeated by a member", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("web", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		other := stage.Start("puppet", "shell")
		shell := stage.Puppet("shell")
		before := shell.Fork("before", harness.OwnGroup)
		shell.Exec(joining("web", joining("web", "puppet", "guest")...)...)
		guest := stage.Puppet("guest")
		expectMembers(ctx, "web", owner, guest)
		owner.Exit(0)
		job.Wait()
		guest.Exit(0)
		expectRemoved(ctx, "web", job.Oracle())
		Expect(before.Report().PID).To(Equal(before.PID()), "it lives, and does not count")
		before.Exit(0)
		other.Wait()
	}, limit)

	DescribeTable("is known to the next monitor, when the first is killed", func(ctx SpecContext, prepare func(), kill func(SpecContext), next func() *harness.Job) {
		prepare()
		job := stage.Start(monitor.Run("web", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		stage.Start(joining("web", "puppet", "guest")...)
		guest := stage.Puppet("guest")
		kill(ctx)
		owner.Exit(0)
		job.Wait()
		leaf := guest.Fork("leaf", harness.OwnSession)
		serving := next()
		expectMembers(ctx, "web", guest, leaf)
		expectKept(ctx, "web", witnessOf(guest))
		guest.Exit(0)
		expectKept(ctx, "web", witnessOf(leaf))
		leaf.Exit(0)
		expectRemoved(ctx, "web", witnessOf(leaf))
		if serving != nil {
			Expect(serving.Wait()).To(Equal(harness.Status{}), serving.Output())
		}
		expectEmptyStore(ctx)
	},
		Entry("the resident one, with its guard", func() {}, func(ctx SpecContext) {
			pair := expectPair(ctx)
			fell(ctx, pair.Guard, pair.Resident)
		}, func() *harness.Job { return nil }, limit),
		Entry("the runtime's own", alone, func(ctx SpecContext) { end(ctx, "web", syscall.SIGKILL) },
			func() *harness.Job { return stage.Start("monitor", "serve", "web") }, limit),
	)

	It("has a resident take the runtime over that has no monitor", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("web", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		pair := expectPair(ctx)
		fell(ctx, pair.Guard, pair.Resident)
		stage.Start(joining("web", "puppet", "guest")...)
		guest := stage.Puppet("guest")
		expectMembers(ctx, "web", owner, guest)
		owner.Exit(0)
		job.Wait()
		expectKept(ctx, "web", witnessOf(guest))
		guest.Exit(0)
		expectRemoved(ctx, "web", witnessOf(guest))
	}, limit)

	It("is refused while the runtime empties, and leaves nothing", func(ctx SpecContext) {
		makeFIFO("gate")
		job := stage.Start("monitor", "run", "--name", "web", "--on-empty", "read x <"+stage.Path("gate")+" || :", "--", "puppet", "owner")
		stage.Puppet("owner").Exit(0)
		job.Wait()
		gate := openGate(ctx, "gate")
		refusal := stage.Run(joining("web", "puppet", "guest")...)
		Expect(refusal.Status).To(Equal(harness.Status{Code: 125}))
		Expect(refusal.Stderr).To(Equal("monitor: runtime \"web\" cannot be joined: it is empty, and its on-empty command runs\n"))
		Expect(gate.Close()).To(Succeed())
		expectRemoved(ctx, "web", job.Oracle())
		expectEmptyStore(ctx)
	}, limit)

	It("is refused when the members are told to end, and stop ends those that have joined", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("web", "puppet", "owner")...)
		stage.Puppet("owner")
		other := stage.Start(joining("web", "puppet", "guest")...)
		guest := stage.Puppet("guest")
		guest.Ignore(syscall.SIGTERM)
		first := stage.Start("monitor", "stop", "web", "--grace", "1h")
		Expect(job.Wait()).To(Equal(harness.Status{Signal: syscall.SIGTERM}))
		refusal := stage.Run(joining("web", "true")...)
		Expect(refusal.Status).To(Equal(harness.Status{Code: 125}))
		Expect(refusal.Stderr).To(HavePrefix("monitor: runtime \"web\" cannot be joined: it was told to stop: SIGTERM was sent"))
		stop("web", "--grace", "0")
		Expect(other.Wait()).To(Equal(harness.Status{Signal: syscall.SIGKILL}))
		Expect(first.Wait()).To(Equal(harness.Status{}), first.Output())
		expectEmptyStore(ctx)
	}, limit)

	It("is waited for by run --wait, which exits as its own command did", func(ctx SpecContext) {
		job := stage.Start(waited("web", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		stage.Start(joining("web", "puppet", "guest")...)
		guest := stage.Puppet("guest")
		owner.Exit(7)
		expectMembers(ctx, "web", guest)
		expectKept(ctx, "web", witnessOf(guest))
		Expect(job.Exited()).NotTo(BeClosed())
		guest.Exit(0)
		Expect(job.Wait()).To(Equal(harness.Status{Code: 7}), job.Output())
		expectEmptyStore(ctx)
	}, limit)

	It("is ended with what the command leaves, where that is asked for", func(ctx SpecContext) {
		job := stage.Start("monitor", "run", "--name", "web", "--leftovers", "stop", "--", "puppet", "owner")
		owner := stage.Puppet("owner")
		other := stage.Start(joining("web", "puppet", "guest")...)
		stage.Puppet("guest")
		owner.Exit(0)
		Expect(other.Wait()).To(Equal(harness.Status{Signal: syscall.SIGTERM}))
		Expect(job.Wait()).To(Equal(harness.Status{}), job.Output())
		expectEmptyStore(ctx)
	}, limit)

	It("makes a process of the outer runtime count for both, and refuses one of a runtime beside", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("outer", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		shell := owner.Fork("shell")
		worker := owner.Fork("worker")
		shell.Exec(monitor.Run("inner", "puppet", "inner")...)
		inner := stage.Puppet("inner")
		worker.Exec(joining("inner", "puppet", "guest")...)
		guest := stage.Puppet("guest")
		expectMembers(ctx, "inner", inner, guest)
		expectMembers(ctx, "outer", owner, inner, guest)
		inner.Exit(0)
		owner.Exit(0)
		expectKept(ctx, "inner", witnessOf(guest))
		expectKept(ctx, "outer", witnessOf(guest))

		beside := stage.Start(monitor.Run("beside", "puppet", "other")...)
		other := stage.Puppet("other")
		expectMembers(ctx, "beside", other)
		other.Exec(joining("inner", "true")...)
		Expect(beside.Wait()).To(Equal(harness.Status{Code: 125}))
		Expect(beside.Output()).To(MatchRegexp(`^monitor: runtime "inner" cannot be joined: process \d+ is a member of another runtime, which does not lie around it\n$`))
		guest.Exit(0)
		expectRemoved(ctx, "inner", witnessOf(guest))
		expectRemoved(ctx, "outer", job.Oracle())
		expectEmptyStore(ctx)
	}, limit)

	It("either is refused or keeps the runtime, while the last member ends", func(ctx SpecContext) {
		counts := map[int]int{}
		for n := range 20 {
			name := fmt.Sprintf("last-%d", n)
			job := stage.Start(monitor.Run(name, "puppet", name)...)
			owner := stage.Puppet(name)
			guest := stage.Start(joining(name, "sh", "-c", `test -d "$MONITOR_RUNTIME_DIR" && monitor info >/dev/null`)...)
			owner.Exit(0)
			status := guest.Wait()
			Expect(status).To(Or(Equal(harness.Status{}), Equal(harness.Status{Code: 125})), guest.Output())
			counts[status.Code]++
			expectRemoved(ctx, name, job.Oracle())
		}
		AddReportEntry("joined and refused", fmt.Sprint(counts[0], " and ", counts[125]), ReportEntryVisibilityFailureOrVerbose)
		expectEmptyStore(ctx)
	}, limit)

	DescribeTable("that fails has one line and a code of its own", func(ctx SpecContext, code int, line string, words ...string) {
		job := stage.Start(monitor.Run("web", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		result := stage.Run(append([]string{"monitor", "join"}, words...)...)
		Expect(result).To(Equal(harness.Result{Status: harness.Status{Code: code}, Stderr: "monitor: " + line + "\n"}))
		expectMembers(ctx, "web", owner)
		owner.Exit(0)
		expectRemoved(ctx, "web", job.Oracle())
	},
		Entry("no such runtime", 125, `runtime "nosuch" does not exist`, limit, "nosuch", "--", "true"),
		Entry("no name of a runtime", 125, `bad name "a/b": a name has 1 to 64 of the characters A-Z a-z 0-9 . _ -, begins with neither . nor -, and is not of digits alone`, limit, "a/b", "--", "true"),
		Entry("no command", 125, `join takes a command behind the name; see 'monitor help join'`, limit, "web"),
		Entry("no such command", 127, `./nosuch: command not found`, limit, "web", "--", "./nosuch"),
		Entry("a command that cannot be executed", 126, `/: cannot be executed: is a directory`, limit, "web", "--", "/"),
	)

	It("is refused where the monitor does not answer", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("web", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		resume := pause(expectPair(ctx).Resident)
		result := stage.Run(joining("web", "true")...)
		resume()
		Expect(result).To(Equal(harness.Result{Status: harness.Status{Code: 125}, Stderr: "monitor: runtime \"web\" cannot be joined: its monitor does not answer\n"}))
		expectMembers(ctx, "web", owner)
		owner.Exit(0)
		expectRemoved(ctx, "web", job.Oracle())
	}, limit)

	It("is refused by a broken runtime", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("web", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		record := gemini.Path("web", "runtime.json")
		text, err := os.ReadFile(record)
		Expect(err).NotTo(HaveOccurred())
		Expect(os.WriteFile(record, []byte("{"), 0o600)).To(Succeed())
		result := stage.Run(joining("web", "true")...)
		Expect(result.Status).To(Equal(harness.Status{Code: 125}))
		Expect(result.Stderr).To(HavePrefix("monitor: runtime \"web\" has a broken record: "))
		Expect(os.WriteFile(record, text, 0o600)).To(Succeed())
		owner.Exit(0)
		expectRemoved(ctx, "web", job.Oracle())
	}, limit)
})
