//go:build darwin || linux

package scenarios_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

// The race that this project ends: a monitor reads the process table, finds no process
// of a runtime, and deletes the runtime under a living shell.
var _ = Describe("The reproduction", func() {
	for _, kind := range harness.Kinds {
		It("keeps the runtime of a "+string(kind)+" until it exits, at once and two seconds later", Label("shell:"+string(kind)), ours, func(ctx SpecContext) {
			needs(kind)
			sh := stage.AtTerminal(kind, monitor.Shell("repro")...)
			sh.Prompt()

			// The sleep is part of the reproduction: the runtime was deleted in that time.
			output, status := sh.Run("monitor info && sleep 2 && monitor info")
			Expect(status).To(Equal(0), output)
			Expect(output).To(MatchRegexp(`(?s)repro.*repro`))
			Expect(output).NotTo(ContainSubstring("does not exist"))
			expectKept(ctx, "repro", sh.Oracle())

			Expect(sh.Exit()).To(Equal(harness.Status{}))
			expectRemoved(ctx, "repro", sh.Oracle())
			expectEmptyStore(ctx)
		}, limit)

		It("keeps the runtime that is typed into a "+string(kind), Label("shell:"+string(kind)), func(ctx SpecContext) {
			needs(kind)
			sh := stage.Shell(kind)
			sh.Run(typed(monitor.Shell("inner")))
			if gemini != nil {
				output, status := sh.Run("monitor info")
				Expect(status).To(Equal(0), output)
				Expect(output).To(ContainSubstring("inner"))
			}
			expectKept(ctx, "inner", sh.Oracle())

			sh.Run("exit")
			Eventually(ctx, func() (bool, error) { return listed(ctx, "inner") }).Should(BeFalse(), "its shell has exited, but the runtime stays")
			if gemini != nil {
				output, status := sh.Run("monitor info")
				Expect(output).To(Equal("monitor: No active runtime\n"))
				Expect(status).To(Equal(1))
			}
			expectEmptyStore(ctx)
		}, limit)
	}
})
