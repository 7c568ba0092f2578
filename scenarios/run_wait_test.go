//go:build darwin || linux

package scenarios_test

import (
	"strconv"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

// waited returns the words that run a command in a runtime and wait for it.
func waited(name string, command ...string) []string {
	return append([]string{"monitor", "run", "--wait", "--name", name, "--"}, command...)
}

var _ = Describe("run --wait at a terminal", ours, func() {
	It("leaves ^C to the command, which gets it once", func(ctx SpecContext) {
		needs(harness.Bash)
		sh := stage.Shell(harness.Bash)
		sh.Send(typed(waited("keys", "perl", "-e", `$| = 1; $SIG{INT} = sub { $n++; print "interrupt\n" }; `+
			`$SIG{USR1} = sub { print "interrupts: $n\n"; exit 5 }; print "parent: ", getppid, "\n"; sleep 1 while 1`)))
		waiter, err := strconv.Atoi(sh.Expect(harness.Pattern(`parent: (\d+)\n`)).Groups[0])
		Expect(err).NotTo(HaveOccurred())
		sh.Key(harness.CtrlC)
		sh.Expect("interrupt\n")
		Expect(stage.Signal(waiter, syscall.SIGUSR1)).To(Succeed()) // passed on after what came before
		sh.Expect("interrupts: 1\n")
		_, status := sh.Prompt()
		Expect(status).To(Equal(5))
		expectEmptyStore(ctx)
	}, limit)

	for _, kind := range []harness.Kind{harness.Bash, harness.Zsh} {
		It("stops and goes on with the command in "+string(kind), Label("shell:"+string(kind)), func(ctx SpecContext) {
			needs(kind)
			sh := stage.Shell(kind)
			sh.Send(typed(waited("held", "puppet", "fore")))
			fore := stage.Puppet("fore")
			sh.Suspend()
			sh.Foreground()
			Expect(fore.WriteTerminal("here again")).To(Succeed())
			sh.Expect("here again\n")
			sh.Suspend()
			sh.Background()
			fore.Exit(4)
			// Once zsh has said that a job has ended, "wait" does not know it.
			Eventually(ctx, func() string { output, _ := sh.Run("jobs"); return output }).Should(MatchRegexp(`(?i) exit 4 `))
			expectEmptyStore(ctx)
		}, limit)
	}

	It("ends by ^C when only what the command left lives, and leaves that", func(ctx SpecContext) {
		sh := stage.Shell(harness.Sh)
		sh.Send(typed(waited("rest", "sh", "-c", "puppet left </dev/null >/dev/null 2>&1 &")))
		left := stage.Puppet("left")
		Eventually(ctx, func() ([]int, error) { return gemini.Members(ctx, "rest") }).Should(Equal([]int{left.PID()}))
		sh.Expect(`monitor: waiting for runtime "rest"`) // until it knows of the end, ^C is the command's
		_, status := sh.Interrupt()
		Expect(status).To(Equal(128 + int(syscall.SIGINT)))
		expectKept(ctx, "rest", witnessOf(left))
		left.Exit(0)
		expectRemoved(ctx, "rest", witnessOf(left))
	}, limit)
})
