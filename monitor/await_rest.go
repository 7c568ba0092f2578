package monitor

import (
	"context"
	"time"
)

const (
	// dirLook is how often a directory is looked at that cannot be watched.
	dirLook = 250 * time.Millisecond
	// lockLook is how often a lock is looked at whose release is not reported. It is also the
	// longest time for which looks go on after a report: an exit and the release of its lock
	// are reported a little before they can be seen.
	lockLook = time.Second
	// adoptLook is the longest time between two calls of Unwatched.
	adoptLook = 30 * time.Second
)

// rest waits until the next look: until a report, or the end of the beat. It returns the
// error of ctx when that has ended.
func (a *awaiting) rest(ctx context.Context) error {
	var due <-chan time.Time
	if pause, timed := pauseOf(a.beat, a.vigil != nil, a.released != nil, a.held); timed {
		timer := time.NewTimer(pause)
		defer timer.Stop()
		due = timer.C
		a.beat = min(2*a.beat, adoptLook)
	}
	// While the lock is free, a release is nothing new, and may be our own.
	if a.released != nil && a.held {
		defer a.released.arm(a.ring)()
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-due:
	case <-a.wake:
		if a.released != nil {
			a.released.take()
		}
		a.beat = quickLook
	}
	return nil
}

// pauseOf returns how long to wait for a report, if not for ever: the beat, within the limit
// of what is not reported.
func pauseOf(beat time.Duration, seen, heard, held bool) (pause time.Duration, timed bool) {
	switch {
	case !seen:
		return min(beat, dirLook), true
	case !held:
		return beat, true
	case !heard:
		return min(beat, lockLook), true
	}
	return beat, beat <= lockLook
}
