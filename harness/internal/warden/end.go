//go:build darwin || linux

package warden

import (
	"errors"
	"os"
	"syscall"
	"time"

	"github.com/gemini-monitor/gemini/harness/internal/table"
)

// patience is how long a warden tries to kill all descendants.
const patience = 10 * time.Second

var errSurvivor = errors.New("a descendant does not end")

// killAll kills the descendants until no child is left. Each round finds those that were
// adopted or forked since the last one. A process of another user may refuse to die.
func (w *warden) killAll(limit time.Duration) error {
	end := time.NewTimer(limit)
	defer end.Stop()
	for {
		w.reap()
		w.mu.Lock()
		childless, reaped := w.childless, w.reaped
		w.mu.Unlock()
		if childless {
			return nil
		}
		killed, err := killBelow(os.Getpid())
		if err != nil {
			return err
		}
		var again <-chan time.Time
		if !killed { // the table is older than the last reap, or hides the child
			again = time.After(time.Millisecond)
		}
		select {
		case <-reaped:
		case <-again:
		case <-end.C:
			return errSurvivor
		}
	}
}

// killBelow kills all descendants of a process that the table shows.
func killBelow(pid int) (killed bool, err error) {
	all, err := table.All()
	if err != nil {
		return false, err
	}
	for _, member := range table.Below(all, pid) {
		killed = true
		_ = syscall.Kill(member, syscall.SIGKILL) // what has ended is reaped, what refuses ends the patience
	}
	return killed, nil
}
