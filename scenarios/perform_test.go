//go:build darwin || linux

package scenarios_test

import (
	"context"
	"fmt"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"github.com/gemini-monitor/gemini/harness/play"
)

var performances int

// perform performs the play in a runtime of its own and checks that the runtime exists
// before its last process ends, and is removed afterwards. A removed runtime does not come
// back, so one check is enough.
func perform(ctx context.Context, p play.Play) {
	GinkgoHelper()
	performances++
	// The note comes first, because a failure ends the spec: the last play in the
	// timeline is the one that failed.
	stage.Logf("performs %s='%s'", playVariable, p)
	runtime := fmt.Sprintf("play-%d", performances)
	cast := play.NewCast(stage, runtime)
	cast.Forge("MONITOR_MARK", strings.Repeat("A", 26)) // it has the form of a mark
	defer cast.Dismiss()                                // the puppets of a play that failed
	job := stage.Start(monitor.Run(runtime, "puppet", cast.Name("A"))...)
	cast.Enter()
	for i, act := range p {
		if living := p[:i].Living(); len(living) == 1 && act.Ends() {
			expectKept(ctx, runtime, witnessOf(cast.Puppet(act.Who)))
		}
		cast.Perform(act)
		if act.Deed == play.Forks && slices.ContainsFunc(p, letsGo) {
			expectKnown(ctx, runtime, cast.Puppet(act.Whom))
		}
	}
	expectRemoved(ctx, runtime, job.Oracle())
}

// letsGo reports an act after which only the table shows the process. Without fork
// notices, a monitor may miss a process whose ancestors have ended. So in a play with
// such an act, perform waits until the monitor knows each process.
func letsGo(a play.Act) bool { return a.Deed == play.LetsGo }
