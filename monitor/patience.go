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
// The caller calls done, which waits for the goroutine that counts.
func withPatience(parent context.Context, patience time.Duration) (ctx context.Context, done func()) {
	ctx, cancel := context.WithCancelCause(parent)
	var counting sync.WaitGroup
	counting.Go(func() {
		for left := patience; left > 0; left -= tick {
			select {
			case <-ctx.Done():
				return
			case <-time.After(min(tick, left)):
			}
		}
		cancel(context.DeadlineExceeded)
	})
	return ctx, func() {
		cancel(context.Canceled)
		counting.Wait()
	}
}
