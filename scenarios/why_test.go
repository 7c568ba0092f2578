//go:build darwin || linux

package scenarios_test

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

var _ = Describe("What keeps a runtime", ours, func() {
	It("is told by why, up to the command, by tree, and by which", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("kept", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		middle := owner.Fork("middle", harness.OwnSession)
		leaf := middle.Fork("leaf")
		// All are known as what they are before one of them ends.
		Eventually(ctx, func() string { return stage.Run("monitor", "tree", "-q", "kept").Stdout }).Should(
			Equal(fmt.Sprintf("%d\n%d\n%d\n", owner.PID(), middle.PID(), leaf.PID())))
		middle.Exit(0)
		Eventually(ctx, func() string { return stage.Run("monitor", "why", "kept").Stdout }).Should(MatchRegexp(
			`^runtime "kept" is running\n`+
				`%d .*puppet.*: the command\n`+
				`%d .*puppet.*: child of %d, which was a child of %[1]d \S*puppet, the command\n`+
				`monitor stop kept ends it\n$`, owner.PID(), leaf.PID(), middle.PID()))
		Expect(stage.Run("monitor", "which", fmt.Sprint(leaf.PID()))).To(Equal(harness.Result{Stdout: "kept\n"}))
		owner.Exit(0)
		leaf.Exit(0)
		expectRemoved(ctx, "kept", job.Oracle())
		Expect(stage.Run("monitor", "why", "kept")).To(And(
			HaveField("Status", harness.Status{Code: 1}), HaveField("Stderr", "monitor: runtime \"kept\" does not exist\n")))
	}, limit)
})
