package tracker

import (
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// A source turns one kernel's notifications into notices.
//
// One goroutine calls its methods; wake alone may be called from another.
type source interface {
	// forks tells what the notices say of forks.
	forks() process.Forks
	// inherit makes the children of watched processes watched from birth,
	// where forks are named.
	inherit()
	// add watches the process that has the PID now. The error is ErrGone when
	// it is dead or cannot be watched to its end.
	add(pid int) error
	// remove ends watching the PID, if it is watched.
	remove(pid int)
	// next appends the notices that are there. If there is none, it waits for
	// one as long as the timeout says, for ever if that is negative. It may
	// return none: after a wake, a signal or the time. A PID is not watched
	// any more when its exit has been returned.
	next(notices []Notice, timeout time.Duration) ([]Notice, error)
	// wake makes next return.
	wake()
	close() error
}
