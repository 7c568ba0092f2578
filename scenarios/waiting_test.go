//go:build darwin || linux

package scenarios_test

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

var _ = Describe("monitor wait with a name", ours, func() {
	It("returns when the last process of the runtime has ended, and the runtime is gone", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("awaited", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		leaf := owner.Fork("leaf", harness.OwnSession)
		wait := stage.Start("monitor", "wait", "--log-level", "debug", "awaited")
		wait.Expect("msg=waiting")
		owner.Exit(0)
		job.Wait()
		expectWaiting(ctx, wait)
		leaf.Exit(0)
		Expect(wait.Wait()).To(Equal(harness.Status{}), wait.Output())
		Eventually(ctx, gemini.Files).Should(BeEmpty()) // the monitor's own go last, after the record
		after := stage.Run("monitor", "wait", "awaited")
		Expect(after.Status).To(Equal(harness.Status{Code: 3}))
		Expect(after.Stderr).To(MatchRegexp(`^monitor: runtime "awaited" was removed at \S+\n$`))
		Expect(stage.Run("monitor", "list", "--all").Stdout).To(MatchRegexp(`(?m)^awaited +\S+ \S+ +ended +\S+ +puppet owner$`))
	}, limit)

	It("goes on where resident and guard were killed, and has the runtime watched again", func(ctx SpecContext) {
		stage.Start(monitor.Run("awaited", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		before := expectPair(ctx)
		wait := stage.Start("monitor", "wait", "awaited")
		expectWaiting(ctx, wait)
		fell(ctx, before.Guard, before.Resident)
		Expect(expectPair(ctx)).NotTo(Equal(before))
		owner.Exit(0)
		Expect(wait.Wait()).To(Equal(harness.Status{}), wait.Output())
		expectEmptyStore(ctx)
		expectNoPair(ctx)
	}, limit)

	It("is refused by a process of the runtime, and of one around it", func(ctx SpecContext) {
		inner := strings.Join(monitor.Run("inner", "sh", "-c", `"monitor wait outer; monitor wait inner"`), " ")
		job := stage.Start(monitor.Run("outer", "sh", "-c", inner)...)
		job.Wait()
		Expect(job.Output()).To(MatchRegexp(`monitor: this command is in runtime "outer": .*\s+monitor: this command is in runtime "inner": `))
		expectEmptyStore(ctx)
	}, limit)
})

var _ = Describe("monitor wait with the PID of a child of the caller", ours, func() {
	It("is no race with the end of the child, in each shell", func(ctx SpecContext) {
		for _, kind := range harness.Kinds {
			if _, err := kind.Path(); err != nil {
				continue
			}
			sh := stage.Shell(kind)
			for _, child := range []string{"true", "sleep 0.01"} {
				output, status := sh.Run(child + " & monitor wait $! 2>/dev/null || [ $? = 3 ]")
				Expect(status).To(Equal(0), "%s: %s", kind, output)
			}
		}
	}, limit)
})
