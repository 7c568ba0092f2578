package monitor

import (
	"context"
	"sync"
	"time"
)

// tick is how exactly patience is measured. Each tick wakes the process, and hundreds may be
// waiting at once.
const tick = 250 * time.Millisecond

// withPatience returns a context that ends when this process has run for as long as
// patience. Time in which the process was stopped (^Z) counts as one tick at most.
// The caller calls done.
func withPatience(parent context.Context, patience time.Duration) (ctx context.Context, done func()) {
	ctx, cancel := context.WithCancelCause(parent)
	left := patience
	var mu sync.Mutex
	var timer *time.Timer
	count := func() {
		mu.Lock()
		defer mu.Unlock()
		if left <= 0 {
			cancel(context.DeadlineExceeded)
		} else if ctx.Err() == nil {
			timer.Reset(min(tick, left))
			left -= tick
		}
	}
	mu.Lock()
	defer mu.Unlock()
	timer = time.AfterFunc(min(tick, left), count)
	left -= tick
	return ctx, func() {
		cancel(context.Canceled)
		mu.Lock()
		defer mu.Unlock()
		timer.Stop()
	}
}
