package explore

import (
	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// A look is what a caller can see of a tree, and can wait for.
type look struct {
	verdict                trees.Verdict
	reason, failed         error
	settled, begun, closed bool
	changes                bool
}

// checkTouched fails the run if the tree looks different than at the last check and the
// core has not touched it since: a wait for that would never end.
func (r *Run) checkTouched(c *core.Core) {
	touched := false
	c.Touched(func(t *core.Tree) { touched = touched || t == r.Tree })
	before, now := r.looked, look{
		failed: c.FailedSince(r.since), changes: c.HasChanges(r.Tree),
		settled: r.Tree.Settled(), begun: r.Tree.Begun(), closed: r.Tree.Closed(),
	}
	now.verdict, now.reason = c.Verdict(r.Tree)
	r.looked = now
	if before.changes && !now.changes {
		now.changes = true // they were taken
	}
	if before != now && !touched {
		r.fail("the tree looks different, and is not touched: %+v, now %+v", before, now)
	}
}
