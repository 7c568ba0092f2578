package tracker

import (
	"fmt"
	"time"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

var (
	// ErrNoMember reports a process that is no live member of a tree.
	ErrNoMember = core.ErrNoMember
	// ErrInside reports a process that cannot be released from a tree, as it is a member of
	// one that lies inside.
	ErrInside = core.ErrInside
)

// Release has a live member of the tree count for it no more, nor what descends from it now
// and later: then the tree can be empty while these live. It goes on to follow them. A group
// that a released process has created still links orphans to the tree, because others can be
// in it, and the mark of the tree does: so an orphan that is not known to descend from a
// released process is a member. The root too can be released, with all members.
//
// The caller may name others besides of which it knows that they descend from the member.
// Release reports whether the member counted before; then [Tree.Changes] has what changed. The
// error is [ErrNoMember], [ErrInside] or [ErrClosed].
func (t *Tree) Release(member process.Identity, besides ...process.Identity) (counted bool, err error) {
	var failed error
	err = t.tracker.call(func() {
		t.tracker.follower.Do(func(c *core.Core) {
			counted, failed = c.Release(t.tree, append([]process.Identity{member}, besides...), time.Now())
		})
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return false, fmt.Errorf("process %d %w", member.PID, err)
	}
	return counted, nil
}

// Outside returns those of some processes that are known not to count, whatever else is known
// of them: they were released, or they were made before the root of the tree, so that they do
// not descend from it. Where the kernel numbers processes (macOS), a clock that was set back is
// no matter, as long as the tracker has seen the root alive.
func (t *Tree) Outside(of []process.Process) map[process.Identity]bool {
	outside := make(map[process.Identity]bool)
	_ = t.tracker.call(func() { // after Close there are none
		for _, p := range of {
			if row, err := t.tracker.follower.Complete(p); err == nil {
				t.tracker.follower.Do(func(c *core.Core) { outside[p.Identity] = c.Excludes(t.tree, &row) })
			}
		}
	})
	return outside
}

// Released returns the live processes that were released from the tree, with what descends
// from them, as [Tree.Members] does.
func (t *Tree) Released() (released []trees.Member) {
	t.tracker.follower.Do(func(c *core.Core) { released = c.Released(t.tree) })
	return released
}
