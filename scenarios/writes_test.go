//go:build darwin || linux

package scenarios_test

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

// crowd makes sixty processes that live at the same time, then becomes its arguments.
const crowd = `i=0; while [ $i -lt 60 ]; do sleep 1 & i=$((i+1)); done; wait; exec "$@"`

var _ = Describe("A monitor that cannot write", func() {
	It("keeps the runtime and removes it when no file may grow", func(ctx SpecContext) {
		run := monitor.Run("cramped", "sh", "-c", crowd, "sh", "puppet", "owner")
		job := stage.Start(append([]string{"sh", "-c", `ulimit -f 4; exec "$@"`, "sh"}, run...)...)
		owner := stage.Puppet("owner")
		expectKept(ctx, "cramped", job.Oracle())
		owner.Exit(0)
		expectRemoved(ctx, "cramped", job.Oracle())
	}, limit)

	It("the record to begin with refuses to start the command, and nothing stays", ours, func(ctx SpecContext) {
		run := monitor.Run("cramped", "echo", "started", strings.Repeat("x", 1000)) // the record has the command
		result := stage.Run(append([]string{"sh", "-c", `ulimit -f 1; exec "$@"`, "sh"}, run...)...)
		Expect(result.Status).To(Equal(harness.Status{Code: 125}), result.Stderr)
		Expect(result.Stderr).To(MatchRegexp(`^monitor: [^\n]*file too large\n$`))
		Expect(result.Stdout).To(BeEmpty())
		expectEmptyStore(ctx)
	}, limit)
})
