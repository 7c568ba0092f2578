//go:build darwin || linux

package play

import (
	"syscall"

	"github.com/gemini-monitor/gemini/harness"
)

// A Cast performs plays with the puppets of a stage. Its methods fail the test if a puppet
// does not obey.
//
//	p, err := play.Parse("A forks B; A exits; B leads a session; B exits")
//	...
//	cast := play.NewCast(stage, "night")
//	job := stage.Start("puppet", cast.Name("A"))
//	cast.Enter()
//	for _, act := range p.Whole() {
//		cast.Perform(act)
//	}
//	job.ExpectNobody()
type Cast struct {
	stage           *harness.Stage
	name            string
	puppets         map[string]*harness.Puppet
	variable, value string // what Forges sets
}

// NewCast returns a cast whose puppets have names that begin with name.
func NewCast(stage *harness.Stage, name string) *Cast {
	return &Cast{stage: stage, name: name, puppets: map[string]*harness.Puppet{}, variable: "FORGED", value: "1"}
}

// Forge sets what the deed Forges puts into the environment of a process. It is FORGED=1
// otherwise.
func (c *Cast) Forge(variable, value string) { c.variable, c.value = variable, value }

// Name returns the name of the puppet that plays a process. The test starts the puppet of A
// by the command "puppet NAME".
func (c *Cast) Name(who string) string { return c.name + "-" + who }

// Enter waits for the puppet of A.
func (c *Cast) Enter() { c.puppets["A"] = c.stage.Puppet(c.Name("A")) }

// Puppet returns the puppet that plays a process, nil before its fork.
func (c *Cast) Puppet(who string) *harness.Puppet { return c.puppets[who] }

// Perform performs an act and returns when it is done.
func (c *Cast) Perform(a Act) {
	actor := c.puppets[a.Who]
	switch a.Deed {
	case Exits:
		actor.Exit(0)
	case Dies:
		actor.Die(syscall.SIGKILL)
	case Forks:
		c.puppets[a.Whom] = actor.Fork(c.Name(a.Whom))
	case Reaps:
		actor.Reap(c.puppets[a.Whom].PID())
	case LeadsGroup:
		actor.Setpgid()
	case LeadsSession:
		actor.Setsid()
	case Execs:
		actor.ExecSelf()
	case LetsGo:
		actor.CloseInherited()
	case Scrubs:
		actor.DropEnvironment()
	case Forges:
		actor.Setenv(c.variable, c.value)
	}
}

// Dismiss kills the puppets that live.
func (c *Cast) Dismiss() {
	for _, p := range c.puppets {
		select {
		case <-p.Gone():
		default:
			_ = c.stage.Signal(p.PID(), syscall.SIGKILL) // a puppet that has just ended is no error
		}
	}
}
