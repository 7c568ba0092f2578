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

// A performance is a play by puppets, in a runtime of its own.
type performance struct {
	runtime string
	people  map[string]*harness.Puppet
}

var performances int

// perform plays it and checks that the runtime is there when only the last one
// lives, and goes with it. A runtime that was removed does not come back, so
// this one look is enough.
func perform(ctx context.Context, p play.Play) {
	GinkgoHelper()
	performances++
	// Before, since what goes wrong may end the spec there and then: the last play
	// of the timeline is the one.
	stage.Logf("performs %s='%s'", playVariable, p)
	f := &performance{runtime: fmt.Sprintf("play-%d", performances), people: map[string]*harness.Puppet{}}
	defer f.end() // of one that failed
	job := stage.Start(monitor.Run(f.runtime, "puppet", f.name("A"))...)
	f.people["A"] = stage.Puppet(ctx, f.name("A"))
	for i, act := range p {
		if living := p[:i].Living(); len(living) == 1 && act.Ends() {
			expectKept(ctx, f.runtime, witnessOf(f.people[act.Who]))
		}
		f.act(ctx, act)
		if act.Deed == play.Forks && slices.ContainsFunc(p, letsGo) {
			expectKnown(ctx, f.runtime, f.people[act.Whom])
		}
	}
	expectRemoved(ctx, f.runtime, job.Oracle())
}

func (f *performance) name(who string) string { return f.runtime + "-" + who }

func (f *performance) act(ctx context.Context, a play.Act) {
	GinkgoHelper()
	who := f.people[a.Who]
	switch a.Deed {
	case play.Exits:
		who.Exit(ctx, 0)
	case play.Dies:
		who.Die(ctx, syscall.SIGKILL)
	case play.Forks:
		f.people[a.Whom] = who.Fork(ctx, f.name(a.Whom), harness.Start{})
	case play.Reaps:
		who.Reap(ctx, f.people[a.Whom].PID())
	case play.LeadsGroup:
		who.Setpgid(ctx)
	case play.LeadsSession:
		who.Setsid(ctx)
	case play.Execs:
		who.ExecSelf(ctx)
	case play.LetsGo:
		who.CloseInherited(ctx)
	}
}

// letsGo tells of whom nothing but the table will know. Where forks are not named,
// it would depend on luck whether that ever does, if his makers were not seen: so
// in a play with such a one everybody is waited for.
func letsGo(a play.Act) bool { return a.Deed == play.LetsGo }

// end kills whoever still lives.
func (f *performance) end() {
	for _, p := range f.people {
		if witnessOf(p).Held() {
			_ = stage.Signal(p.PID(), syscall.SIGKILL) // who has ended just now is no error
		}
	}
}
