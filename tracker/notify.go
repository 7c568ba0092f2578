package tracker

import (
	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// Notify has a function called when something has happened to the tree since the last call of
// [Tree.Pending], and when the tracker ends. It is for a program that follows many trees: one
// that rests needs no goroutine that waits in [Tree.Changes].
//
// The program calls Pending once after Notify, and after each wake. wake returns at once, and
// calls no method of the tracker or its trees: their locks are held. After Close of the tree it
// is not called any more. A later function takes the place of an earlier one.
func (t *Tree) Notify(wake func()) {
	t.tracker.follower.Do(func(*core.Core) { t.wake = wake })
}

// Pending returns what [Tree.Changes] would return at once, and nothing where that would wait.
// The error is [ErrClosed], or why the tracker has ended.
func (t *Tree) Pending() (changes []trees.Change, err error) {
	ended := t.tracker.failure()
	t.tracker.follower.Do(func(c *core.Core) {
		if changes = c.Changes(t.tree); len(changes) == 0 && t.tree.Closed() {
			err = ErrClosed
		}
	})
	if len(changes) == 0 && err == nil {
		err = ended
	}
	return changes, err
}

// notify calls the function of Notify, if there is one. It is called with the follower's lock
// held, and for a tree that is followed no more with nil.
func (t *Tree) notify() {
	if t != nil && t.wake != nil {
		t.wake()
	}
}
