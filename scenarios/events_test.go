//go:build darwin || linux

package scenarios_test

import (
	"fmt"
	"regexp"
	"strings"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

// timeless drops the times at the beginnings of lines.
func timeless(lines string) string {
	return regexp.MustCompile(`(?m)^\S+ `).ReplaceAllString(lines, "")
}

var _ = Describe("monitor events", ours, func() {
	It("prints each join, leave and state of a runtime, its removal, and ends with it", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("build", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		events := stage.Start("monitor", "events", "build", "--since", "1h")
		events.Expect("joined")
		leaf := owner.Fork("leaf", harness.OwnSession)
		// The name of a process that was seen before its exec is that of what forked it.
		events.Expect(harness.Pattern(fmt.Sprintf(`joined %d \S+, child of %d`, leaf.PID(), owner.PID())))
		owner.Exit(0)
		job.Wait()
		events.Expect(fmt.Sprintf("left %d ", owner.PID()))
		leaf.Exit(0)
		Expect(events.Wait()).To(Equal(harness.Status{}))
		said := timeless(events.Output())
		Expect(said).To(ContainSubstring("build state running\n"))
		// A puppet forks through a process that ends at once.
		Expect(said).To(MatchRegexp(`(?s)^build state starting: puppet owner
.*build joined %[1]d \w+, the command
.*build joined %[2]d \S+, child of %[1]d
.*build left %[1]d puppet
build left %[2]d \S+
build emptied
build removed
$`, owner.PID(), leaf.PID()))
		expectRemoved(ctx, "build", job.Oracle())
		Expect(stage.Run("monitor", "events", "build").Status).To(Equal(harness.Status{Code: 3}))
		expectEmptyStore(ctx)
	}, limit)

	It("lacks no runtime of many that come and go, and has an end of each", func(ctx SpecContext) {
		events := stage.Start("monitor", "events", "--since", "1h")
		const many = 20
		for n := range many {
			Expect(stage.Run(monitor.Run(fmt.Sprint("quick-", n), "true")...).Status).To(Equal(harness.Status{}))
		}
		expectEmptyStore(ctx)
		for n := range many {
			for _, what := range []string{"state starting: true", "removed"} {
				line := fmt.Sprintf("(?m)^quick-%d %s$", n, what)
				Eventually(ctx, func() string { return timeless(events.Output()) }).Should(MatchRegexp(line))
			}
			lines := regexp.MustCompile(fmt.Sprintf("(?m)^quick-%d .*$", n)).FindAllString(timeless(events.Output()), -1)
			Expect(strings.Join(lines, "\n")).To(Or(ContainSubstring(" gap "), And(ContainSubstring(" joined "), ContainSubstring(" left "))))
		}
		events.Signal(syscall.SIGINT)
		Expect(events.Wait()).To(Equal(harness.Status{Signal: syscall.SIGINT}))
	}, limit)

	It("goes on where resident and guard were killed, with the time in which the runtime was not watched", func(ctx SpecContext) {
		stage.Start(monitor.Run("build", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		before := expectPair(ctx)
		events := stage.Start("monitor", "events", "build", "--since", "1h")
		events.Expect("build state running\n") // it reads the journal by now
		expectWaiting(ctx, events)
		fell(ctx, before.Guard, before.Resident)
		events.Expect("build unwatched since ")
		Expect(expectPair(ctx)).NotTo(Equal(before))
		owner.Exit(0)
		Expect(events.Wait()).To(Equal(harness.Status{}), events.Output())
		Expect(timeless(events.Output())).To(HaveSuffix("build emptied\nbuild removed\n"))
		expectEmptyStore(ctx)
		expectNoPair(ctx)
	}, limit)

	It("ends at once and quietly when its reader has gone, and by ^C", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("build", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		result := stage.Run("sh", "-c", "{ monitor events --since 1h; echo $? >&2; } | head -n 1")
		Expect(timeless(result.Stdout)).To(Equal("build state starting: puppet owner\n"))
		Expect(result.Stderr).To(Equal(fmt.Sprintln(128 + int(syscall.SIGPIPE))))
		t := stage.Terminal("monitor", "events", "--since", "1h")
		t.ExpectScreen("build state running")
		t.Key(harness.CtrlC)
		Expect(t.Wait()).To(Equal(harness.Status{Signal: syscall.SIGINT}))
		owner.Exit(0)
		expectRemoved(ctx, "build", job.Oracle())
	}, limit)
})
