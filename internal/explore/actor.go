package explore

import (
	"github.com/gemini-monitor/gemini/internal/core"
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
	// AppendState appends all that its future depends on.
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

// Checked reports whether the tree is settled and no Recheck waits to be begun.
func (r *Run) Checked() bool { return !r.recheck && r.Tree.Settled() }

// Fail ends the run with a failure.
func (r *Run) Fail(format string, args ...any) { r.fail(format, args...) }
