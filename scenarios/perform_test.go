//go:build darwin || linux

package scenarios_test

import (
	"context"
	"fmt"
	"slices"
	"syscall"

	. "github.com/onsi/ginkgo/v2"

	"github.com/gemini-monitor/gemini/harness"
	"github.com/gemini-monitor/gemini/harness/play"
)

// A performance is a play that puppets perform in a runtime of their own.
type performance struct {
	runtime string
	puppets map[string]*harness.Puppet
}

var performances int

// perform performs the play and checks that the runtime exists before its last process
// ends, and is removed afterwards. A removed runtime does not come back, so one check
// is enough.
func perform(ctx context.Context, p play.Play) {
	GinkgoHelper()
	performances++
	// The note comes first, because a failure ends the spec: the last play in the
	// timeline is the one that failed.
	stage.Logf("performs %s='%s'", playVariable, p)
	f := &performance{runtime: fmt.Sprintf("play-%d", performances), puppets: map[string]*harness.Puppet{}}
	defer f.end() // the puppets of a play that failed
	job := stage.Start(monitor.Run(f.runtime, "puppet", f.name("A"))...)
	f.puppets["A"] = stage.Puppet(ctx, f.name("A"))
	for i, act := range p {
		if living := p[:i].Living(); len(living) == 1 && act.Ends() {
			expectKept(ctx, f.runtime, witnessOf(f.puppets[act.Who]))
		}
		f.act(ctx, act)
		if act.Deed == play.Forks && slices.ContainsFunc(p, letsGo) {
			expectKnown(ctx, f.runtime, f.puppets[act.Whom])
		}
	}
	expectRemoved(ctx, f.runtime, job.Oracle())
}

func (f *performance) name(actor string) string { return f.runtime + "-" + actor }

func (f *performance) act(ctx context.Context, a play.Act) {
	GinkgoHelper()
	actor := f.puppets[a.Who]
	switch a.Deed {
	case play.Exits:
		actor.Exit(ctx, 0)
	case play.Dies:
		actor.Die(ctx, syscall.SIGKILL)
	case play.Forks:
		f.puppets[a.Whom] = actor.Fork(ctx, f.name(a.Whom), harness.Start{})
	case play.Reaps:
		actor.Reap(ctx, f.puppets[a.Whom].PID())
	case play.LeadsGroup:
		actor.Setpgid(ctx)
	case play.LeadsSession:
		actor.Setsid(ctx)
	case play.Execs:
		actor.ExecSelf(ctx)
	case play.LetsGo:
		actor.CloseInherited(ctx)
	}
}

// letsGo reports an act after which only the table shows the process. Without fork
// notices, a monitor may miss a process whose ancestors have ended. So in a play with
// such an act, perform waits until the monitor knows each process.
func letsGo(a play.Act) bool { return a.Deed == play.LetsGo }

// end kills the puppets that live.
func (f *performance) end() {
	for _, p := range f.puppets {
		if witnessOf(p).Held() {
			_ = stage.Signal(p.PID(), syscall.SIGKILL) // a puppet that has just ended is no error
		}
	}
}
