package explore

import (
	"slices"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/internal/simkernel"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// An Actor takes part in a run beside the processes and the tracker: the life of a
// runtime, for instance. The chooser orders its steps among theirs, so that one can
// fall between any two steps of the others, also within a step of the tracker.
type Actor interface {
	// Ready reports whether it can take a step now.
	Ready() bool
	// Step takes its next step. It learns of the tree by Changes and Verdict of the
	// run, asks for a check by Recheck, and ends the run by Fail.
	Step()
	// Finish is called when nothing can happen any more. It returns what should have
	// happened and has not, if anything.
	Finish() string
	// Clone returns a copy for a copy of the run.
	Clone(*Run) Actor
	// AppendState appends all that its future depends on beside kernel and tracker.
	AppendState(text []byte) []byte
}

// A stepper is what the chooser orders: a process or the actor.
type stepper interface{ Step() }

// Changes returns what has happened to the tree since the last call.
func (r *Run) Changes() (changes []trees.Change) {
	r.Follower.Do(func(c *core.Core) { changes = c.Changes(r.Tree) })
	return changes
}

// HasChanges reports whether Changes has something to return.
func (r *Run) HasChanges() (has bool) {
	r.Follower.Do(func(c *core.Core) { has = c.HasChanges(r.Tree) })
	return has
}

// Verdict returns what is established about the tree.
func (r *Run) Verdict() (v trees.Verdict, err error) {
	r.Follower.Do(func(c *core.Core) { v, err = c.Verdict(r.Tree) })
	return v, err
}

// Recheck has the table read anew for the tree, from the next step of the tracker on.
// The answer is there when Checked returns true.
func (r *Run) Recheck() { r.recheck = true }

// Checked reports whether the last Recheck is answered: the tree is settled, or a read
// since has failed. CheckError and Verdict have the answer.
func (r *Run) Checked() bool {
	return !r.recheck && (r.Tree.Settled() || r.failedSince() != nil)
}

// CheckError returns why the table could not be read since the last Recheck, or nil.
func (r *Run) CheckError() error { return r.failedSince() }

func (r *Run) failedSince() (err error) {
	r.Follower.Do(func(c *core.Core) { err = c.FailedSince(r.since) })
	return err
}

// LeaseHeld reports whether a process holds the lease at this moment.
func (r *Run) LeaseHeld() bool {
	return slices.ContainsFunc(r.Kernel.Listed, func(p *simkernel.Process) bool { return p.Lease && (p.Member || p.Guest) })
}

// Choose has the chooser pick one of some options in the middle of a step. The state
// that the actor appends has to tell one such place from another.
func (r *Run) Choose(options int) int {
	if options < 2 {
		return 0
	}
	r.deciding = true
	choice := r.choose(options, false)
	r.deciding = false
	if choice >= options {
		r.fail("there is no choice %d here", choice)
	}
	return choice
}

// CheckDeserted fails the run if the tree is given up for empty too early: if one of
// its processes lives that holds the lease or of which the tracker was shown that it
// belongs, or one at all where the documented hole cannot open.
func (r *Run) CheckDeserted() {
	for _, p := range r.Kernel.Listed {
		switch {
		case !p.Member || !p.Alive():
		case p.Lease:
			r.fail("given up while %s holds the lease", p)
		case r.Kernel.Shown(p):
			r.fail("given up while %s lives, and the tracker was shown that it belongs to the tree", p)
		case !r.holeOpens():
			r.fail("given up while %s lives", p)
		}
	}
}

// Unannounced reports whether a debugger holds a dead process of the tree and never
// waits for it: then the tree is not found empty.
func (r *Run) Unannounced() bool {
	return slices.ContainsFunc(r.Kernel.Listed, func(p *simkernel.Process) bool { return p.Member && p.Real != 0 })
}

// End ends the run where all that was to be found out is.
func (r *Run) End() { panic(ending{}) }

// Fail ends the run with a failure.
func (r *Run) Fail(format string, args ...any) { r.fail(format, args...) }
