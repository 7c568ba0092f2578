package tracker

import (
	"context"
	"slices"

	"github.com/gemini-monitor/gemini/internal/core"
)

// A waiter waits for something to become true of a tree. The tracker's goroutine looks
// at the conditions after each step, and only at those on trees that the step has
// touched: the cost of a notice must not grow with the number of trees.
type waiter struct {
	tree *core.Tree
	// condition is called under the locks of tracker and follower. When it has
	// returned true or an error, it is not called again.
	condition func(*core.Core) (bool, error)
	err       error
	over      chan struct{} // closed when the wait is
}

// await returns when the condition on a tree holds or has an error, ctx ends, or the
// tracker does. The condition depends on what core.Core.Touched names, on the lease of the
// tree, and on nothing else. Where ctx has ended before, the condition is not looked at: what a
// caller gets after its ctx has ended must not depend on a race.
func (t *Tracker) await(ctx context.Context, tree *core.Tree, condition func(*core.Core) (bool, error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w := &waiter{tree: tree, condition: condition, over: make(chan struct{})}
	t.beginWait(w)
	select {
	case <-w.over:
		return w.err
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case <-w.over: // just before: what the condition took must not be lost
		return w.err
	default:
	}
	t.keepWaiters(tree, func(other *waiter) bool { return other != w })
	return ctx.Err()
}

// beginWait has a wait end at once, or after a later step.
func (t *Tracker) beginWait(w *waiter) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.follower.Do(func(c *core.Core) {
		if !t.ends(w, c) {
			t.waiters[w.tree] = append(t.waiters[w.tree], w)
		}
	})
}

// keepWaiters drops the waiters on a tree that a function does not keep. It is called
// with the lock held.
func (t *Tracker) keepWaiters(tree *core.Tree, keep func(*waiter) bool) {
	left := slices.DeleteFunc(t.waiters[tree], func(w *waiter) bool { return !keep(w) })
	if t.waiters[tree] = left; len(left) == 0 {
		delete(t.waiters, tree)
	}
}

// endWaits ends the waits that the last step has made over, and all when the tracker has
// ended. It calls the functions of Notify too. It is called with the lock held.
func (t *Tracker) endWaits() {
	t.follower.Do(func(c *core.Core) {
		c.Touched(func(tree *core.Tree) {
			t.endWaitsOn(tree, c)
			if tree.Logged() {
				t.handles[tree].notify()
			}
		})
		if t.err == nil {
			return
		}
		for tree := range t.waiters {
			t.endWaitsOn(tree, c)
		}
		for _, handle := range t.handles {
			handle.notify()
		}
	})
}

// endWaitsOn ends the waits on one tree that are over. It is called with both locks held.
func (t *Tracker) endWaitsOn(tree *core.Tree, c *core.Core) {
	if len(t.waiters[tree]) > 0 {
		t.keepWaiters(tree, func(w *waiter) bool { return !t.ends(w, c) })
	}
}

// ends ends a wait if its condition holds or the tracker has ended.
func (t *Tracker) ends(w *waiter, c *core.Core) bool {
	ok, err := w.condition(c)
	if !ok && err == nil {
		err = t.err
	}
	if !ok && err == nil {
		return false
	}
	w.err = err
	close(w.over)
	return true
}
