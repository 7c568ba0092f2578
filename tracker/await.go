package tracker

import (
	"context"
	"slices"
)

// A waiter waits for something to become true of the core. The tracker's
// goroutine looks for all of them after each step: waking each to look for
// itself would make every notice cost as much as there are trees.
type waiter struct {
	// condition is called under the locks of tracker and follower. When it has
	// returned true or an error, it is not called again.
	condition func(*core) (bool, error)
	err       error
	over      chan struct{} // closed when the wait is
}

// look ends the wait if the condition holds or has an error.
func (w *waiter) look(c *core) (over bool) {
	ok, err := w.condition(c)
	if !ok && err == nil {
		return false
	}
	w.end(err)
	return true
}

func (w *waiter) end(err error) {
	w.err = err
	close(w.over)
}

// await returns when the condition holds or has an error, ctx ends, or the
// tracker does. Where ctx has ended before, the condition is not looked at: what
// a caller who was told to stop gets must not depend on who was faster.
func (t *Tracker) await(ctx context.Context, condition func(*core) (bool, error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w := &waiter{condition: condition, over: make(chan struct{})}
	t.admit(w)
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

// admit lets a waiter look at once, and then after each step.
func (t *Tracker) admit(w *waiter) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.follower.mu.Lock()
	defer t.follower.mu.Unlock()
	if !t.over(w) {
		t.waiters = append(t.waiters, w)
	}
}

// release ends all waits that are over. It is called with the lock held.
func (t *Tracker) release() {
	t.follower.mu.Lock()
	defer t.follower.mu.Unlock()
	t.waiters = slices.DeleteFunc(t.waiters, t.over)
}

// over ends a wait if its condition says so, or the tracker has ended.
func (t *Tracker) over(w *waiter) bool {
	if w.look(t.follower.core) {
		return true
	}
	if t.err != nil {
		w.end(t.err)
		return true
	}
	return false
}
