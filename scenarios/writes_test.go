//go:build darwin || linux

package scenarios_test

import (
	. "github.com/onsi/ginkgo/v2"
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
})
