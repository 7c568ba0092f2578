//go:build darwin || linux

package scenarios_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

// hooked returns the words that run a puppet in a runtime of the same name, with an on-empty
// command and further flags.
func hooked(name, script string, flags ...string) []string {
	words := append([]string{"monitor", "run", "--name", name, "--on-empty", script}, flags...)
	return append(words, "--", "puppet", name)
}

// noted returns the lines of a file of the stage, none where there is no file.
func noted(name string) ([]string, error) {
	text, err := os.ReadFile(stage.Path(name))
	if os.IsNotExist(err) {
		return nil, nil
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n"), err
}

// info returns what monitor info prints of a runtime.
func info(name string) string { return stage.Run("monitor", "info", name).Stdout }

// bystander starts a process of the stage, beside which the last process of a runtime ends.
func bystander() *harness.Puppet {
	GinkgoHelper()
	stage.Start("puppet", "bystander")
	return stage.Puppet("bystander")
}

// expectOver waits until the runtime is gone, and leaves nothing in the store.
func expectOver(ctx context.Context, name string) {
	GinkgoHelper()
	Eventually(ctx, func() (bool, error) { return listed(ctx, name) }).Should(BeFalse(), "runtime %s stays", name)
	expectEmptyStore(ctx)
}

var _ = Describe("The on-empty command of a runtime", ours, func() {
	for _, kind := range harness.Kinds {
		It("has the directory and environment that run had in "+string(kind)+", and runs once, when the last process has gone", Label("shell:"+string(kind)), func(ctx SpecContext) {
			needs(kind)
			sh := stage.Shell(kind)
			Expect(os.Mkdir(stage.Path("a place"), 0o700)).To(Succeed())
			sh.Run(typed([]string{"cd", stage.Path("a place")}))
			sh.Run("pwd -P >../where; export GREETING='two  words'")
			sh.Run(typed([]string{
				"monitor", "run", "--name", "web",
				"--on-empty", `ls -d "$MONITOR_RUNTIME_DIR" && printf "%s\n" "$(pwd -P)" "$GREETING" "$MONITOR_RUNTIME $MONITOR_ENDED_BY $MONITOR_REPEATED" "<$MONITOR_MARK>" >>../notes`,
				"--", "sh", "-c", "puppet left </dev/null >/dev/null 2>&1 &",
			}))
			left := stage.Puppet("left")
			sh.Run("export GREETING=later; cd /")
			expectKept(ctx, "web", witnessOf(left))
			Expect(noted("notes")).To(BeEmpty())
			left.Exit(0)
			expectOver(ctx, "web")
			where, err := noted("where")
			Expect(err).NotTo(HaveOccurred())
			Expect(noted("notes")).To(Equal([]string{where[0], "two  words", "web ended 0", "<>"}))
		}, limit)
	}

	It("does not run while the table shows no member and a stranger holds the lease", func(ctx SpecContext) {
		job := stage.Start(hooked("lent", "echo ran >>notes")...)
		owner := stage.Puppet("lent")
		lent := owner.Lend()
		owner.Exit(0)
		job.Wait()
		Eventually(ctx, func() string { return info("lent") }).Should(ContainSubstring("holds the lease"))
		expectKept(ctx, "lent", job.Oracle())
		Expect(noted("notes")).To(BeEmpty())
		Expect(lent.Close()).To(Succeed())
		expectOver(ctx, "lent")
		Expect(noted("notes")).To(Equal([]string{"ran"}))
	}, limit)

	It("that fails keeps the runtime as stopping, with the reason and the output in its log, and is tried again as a repeat", func(ctx SpecContext) {
		job := stage.Start(hooked("sick", `echo "$MONITOR_REPEATED" >>notes; echo sad words; echo worse >&2; [ -e cure ] || exit 7`)...)
		stage.Puppet("sick").Exit(3)
		Expect(job.Wait()).To(Equal(harness.Status{Code: 3}))
		Eventually(ctx, func() string { return info("sick") }).Should(MatchRegexp(
			`state: +stopping\nreason: +its on-empty command has failed and is tried again: exit status 7\n`))
		Expect(stage.Run("monitor", "logs", "sick").Stdout).To(And(ContainSubstring("sad words"), ContainSubstring("worse")))
		Expect(gemini.Path("sick", "root")).To(BeADirectory())
		Expect(stage.Run("monitor", "run", "--name", "sick", "--", "true")).To(And(
			HaveField("Status", harness.Status{Code: 125}), HaveField("Stderr", ContainSubstring("on-empty command"))))
		Expect(os.WriteFile(stage.Path("cure"), nil, 0o600)).To(Succeed())
		expectOver(ctx, "sick")
		notes, err := noted("notes")
		Expect(err).NotTo(HaveOccurred())
		Expect(notes[0]).To(Equal("0"))
		Expect(notes[1:]).To(And(Not(BeEmpty()), HaveEach("1")))
	}, limit)

	It("that fails for ever is given up by rm --force, and nothing else gives it up", func(ctx SpecContext) {
		bystander()
		for _, name := range []string{"sick", "lasting"} {
			flags := map[string][]string{"lasting": {"--durable"}}[name]
			job := stage.Start(hooked(name, `echo "$MONITOR_RUNTIME" >>notes; exit 7`, flags...)...)
			stage.Puppet(name).Exit(0)
			job.Wait()
			Eventually(ctx, func() string { return info(name) }).Should(ContainSubstring("its on-empty command has failed"))
			Expect(stage.Run("monitor", "why", name).Stdout).To(HaveSuffix("monitor rm --force " + name + " removes it without that\n"))
			// While it is tried again, after 5 seconds, the reason is that it runs.
			Eventually(ctx, func() harness.Result { return stage.Run("monitor", "rm", name) }).Should(And(HaveField("Status", harness.Status{Code: 1}),
				HaveField("Stderr", HaveSuffix("exit status 7; 'monitor rm --force "+name+"' removes it without that\n"))))
			Expect(stage.Run("monitor", "rm", "--force", name)).To(HaveField("Status", harness.Status{}))
			expectOver(ctx, name)
		}
		Expect(noted("notes")).To(ContainElements("sick", "lasting"))
	}, limit)

	It("is not given up by rm --force where a stranger holds the lease, and runs when that has ended", func(ctx SpecContext) {
		job := stage.Start(hooked("lent", "echo ran >>notes")...)
		owner := stage.Puppet("lent")
		lent := owner.Lend()
		owner.Exit(0)
		job.Wait()
		Eventually(ctx, func() string { return info("lent") }).Should(ContainSubstring("holds the lease"))
		Expect(stage.Run("monitor", "rm", "--force", "lent")).To(And(
			HaveField("Status", harness.Status{Code: 1}), HaveField("Stderr", ContainSubstring("holds the lease"))))
		Expect(noted("notes")).To(BeEmpty())
		Expect(lent.Close()).To(Succeed())
		expectOver(ctx, "lent")
		Expect(noted("notes")).To(Equal([]string{"ran"}))
	}, limit)

	It("that runs has the grace of rm --force to end, and is killed then with what it has started", func(ctx SpecContext) {
		bystander()
		job := stage.Start(hooked("slow", "puppet below & puppet hung", "--on-empty-limit", "0")...)
		stage.Puppet("slow").Exit(0)
		job.Wait()
		below, hung := stage.Puppet("below"), stage.Puppet("hung")
		began := time.Now()
		removal := stage.Start("monitor", "rm", "--force", "slow")
		passTime(ctx)
		select {
		case <-hung.Gone():
			Expect(time.Since(began)).To(BeNumerically(">=", 10*time.Second), "it had no grace")
		default:
			Expect(stage.Run("monitor", "rm", "--force", "--grace", "0", "slow")).To(HaveField("Status", harness.Status{}))
		}
		for _, p := range []*harness.Puppet{below, hung} {
			Eventually(ctx, p.Gone()).Should(BeClosed())
		}
		Expect(removal.Wait()).To(Equal(harness.Status{}))
		expectOver(ctx, "slow")
	}, limit)

	DescribeTable("runs once, and is told how the runtime has ended", func(ctx SpecContext, by string, end func(), flags ...string) {
		job := stage.Start(hooked("told", `echo "$MONITOR_ENDED_BY" >>notes`, flags...)...)
		end()
		job.Wait()
		expectOver(ctx, "told")
		Expect(noted("notes")).To(Equal([]string{by}))
	},
		Entry("its command exited with a code", limit, "ended", func() { stage.Puppet("told").Exit(9) }),
		Entry("its command was killed", limit, "ended", func() { stage.Puppet("told").Die(syscall.SIGKILL) }),
		Entry("its command crashed", limit, "ended", func() { stage.Puppet("told").Crash() }),
		Entry("monitor stop", limit, "stop", func() {
			stage.Puppet("told")
			stop("told")
		}),
		Entry("monitor stop, where the command has to be killed", limit, "stop", func() {
			stage.Puppet("told").Ignore(syscall.SIGTERM)
			stop("told", "--grace", "0")
		}),
		// A slow machine has started the command by then: else there is none that has ended.
		Entry("a time limit", limit, "timeout", func() { stage.Puppet("told") }, "--timeout", "10", "--wait=false"),
		Entry("what the command left", limit, "leftovers", func() {
			p := stage.Puppet("told")
			p.Fork("left", harness.OwnSession)
			p.Exit(0)
		}, "--leftovers", "stop"),
	)

	It("does not run where the command was not started", func(ctx SpecContext) {
		Expect(stage.Run("monitor", "run", "--on-empty", "echo ran >>notes", "--", "/nonexistent").Status).To(Equal(harness.Status{Code: 127}))
		passTime(ctx)
		Expect(noted("notes")).To(BeEmpty())
		expectEmptyStore(ctx)
	}, limit)

	It("that hangs holds up no other runtime, and info reports that it runs", func(ctx SpecContext) {
		bystander()
		job := stage.Start(hooked("stuck", "puppet hung", "--on-empty-limit", "0")...)
		stage.Puppet("stuck").Exit(0)
		job.Wait()
		hung := stage.Puppet("hung")
		Eventually(ctx, func() string { return info("stuck") }).Should(MatchRegexp(`state: +stopping\nreason: +it is empty, and its on-empty command runs\n`))
		passTime(ctx) // another runtime begins and is removed
		Expect(hung.Gone()).NotTo(BeClosed(), "the command has ended: the spec proves nothing")
		hung.Exit(0)
		expectOver(ctx, "stuck")
	}, limit)

	It("that hangs is killed at its time limit with what it has started, and tried again", func(ctx SpecContext) {
		bystander()
		// On a slow machine only a later try gets as far as the puppets.
		job := stage.Start(hooked("slow", "[ -e cure ] || { puppet below & puppet hung; }", "--on-empty-limit", "2")...)
		stage.Puppet("slow").Exit(0)
		job.Wait()
		for _, name := range []string{"hung", "below"} {
			Eventually(ctx, stage.Puppet(name).Gone()).Should(BeClosed())
		}
		Eventually(ctx, func() string { return info("slow") }).Should(MatchRegexp(`state: +stopping\nreason: .*on-empty command .*it took longer than 2s`))
		Expect(os.WriteFile(stage.Path("cure"), nil, 0o600)).To(Succeed())
		expectOver(ctx, "slow")
	}, limit)

	DescribeTable("runs at least once where the monitor is killed meanwhile, and is told of the repeat", func(ctx SpecContext, guarded bool) {
		bystander()
		job := stage.Start(hooked("again", `puppet "hook-$MONITOR_REPEATED"`)...)
		stage.Puppet("again").Exit(0)
		job.Wait()
		first := stage.Puppet("hook-0")
		pair := expectPair(ctx)
		if guarded {
			fell(ctx, pair.Resident)
		} else {
			fell(ctx, pair.Guard, pair.Resident)
			Expect(stage.Run("monitor", "list").Status).To(Equal(harness.Status{})) // it has the runtime watched
		}
		second := stage.Puppet("hook-1")
		first.Exit(1) // of which no monitor knows
		Eventually(ctx, func() string { return info("again") }).Should(MatchRegexp(`state: +stopping\nreason: +it is empty, and its on-empty command runs\n`))
		Expect(second.Gone()).NotTo(BeClosed(), "the command has ended: the spec proves nothing")
		second.Exit(0)
		expectOver(ctx, "again")
	},
		Entry("and its guard starts another one", limit, true),
		Entry("and its guard too", limit, false),
	)

	It("is no member, nor is what it leaves behind", func(ctx SpecContext) {
		bystander()
		job := stage.Start(hooked("clean", "puppet behind </dev/null >/dev/null 2>&1 & puppet hook")...)
		stage.Puppet("clean").Exit(0)
		job.Wait()
		behind, hook := stage.Puppet("behind"), stage.Puppet("hook")
		Expect(stage.Run("monitor", "which", fmt.Sprint(hook.PID())).Status).To(Equal(harness.Status{Code: 1}))
		Expect(gemini.Members(ctx, "clean")).To(BeEmpty())
		hook.Exit(0)
		expectOver(ctx, "clean")
		Expect(behind.Report().PID).To(Equal(behind.PID()))
		behind.Exit(0)
	}, limit)
})
