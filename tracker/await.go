package tracker

import (
	"context"
	"slices"

	"github.com/gemini-monitor/gemini/internal/core"
)

// A waiter waits for something to become true of the core. The tracker's
// goroutine checks all of them after each step: if each were woken to check its own,
// the cost of a notice would grow with the number of trees.
type waiter struct {
	// condition is called under the locks of tracker and follower. When it has
	// returned true or an error, it is not called again.
	condition func(*core.Core) (bool, error)
	err       error
	over      chan struct{} // closed when the wait is
}

// await returns when the condition holds or has an error, ctx ends, or the
// tracker does. Where ctx has ended before, the condition is not looked at: what a
// caller gets after its ctx has ended must not depend on a race.
func (t *Tracker) await(ctx context.Context, condition func(*core.Core) (bool, error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w := &waiter{condition: condition, over: make(chan struct{})}
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
	t.waiters = slices.DeleteFunc(t.waiters, func(other *waiter) bool { return other == w })
	return ctx.Err()
}

// beginWait has a wait end at once, or after a later step.
func (t *Tracker) beginWait(w *waiter) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.follower.Do(func(c *core.Core) {
		if !t.ends(w, c) {
			t.waiters = append(t.waiters, w)
		}
	})
}

// endWaits ends all waits that are over. It is called with the lock held.
func (t *Tracker) endWaits() {
	t.follower.Do(func(c *core.Core) {
		t.waiters = slices.DeleteFunc(t.waiters, func(w *waiter) bool { return t.ends(w, c) })
	})
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
