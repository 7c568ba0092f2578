package kernel

import (
	"errors"
	"io/fs"
	"math"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// checkEnd is called after the first thread of a process has ended. It marks the
// process as dead if it has ended as a whole. announceExit reports that later: other
// threads may have run on, and their events may still be in the queue. Where the look-up
// fails, checkEnd returns a notice of a loss.
func (s *connectorSource) checkEnd(notices []core.Notice, pid int) []core.Notice {
	dead, err := s.ended(pid)
	if dead {
		s.pidfds.Remove(pid)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, watched := s.watched[pid]
	if _, armed := s.pidfds.pidfds[pid]; !armed && !dead && watched && found.start != unborn {
		s.unarm(pid)
	}
	if err != nil {
		return append(notices, core.Notice{Lost: true})
	}
	if !dead {
		return notices
	}
	if ended, ok := s.watched[pid]; ok && !ended.dead {
		ended.dead = true
		s.watched[pid] = ended
		s.dead = append(s.dead, pid)
	}
	return notices
}

// announceExit appends the exit of a process that is marked as dead.
func (s *connectorSource) announceExit(notices []core.Notice, pid int) []core.Notice {
	s.mu.Lock()
	dead := s.watched[pid].dead
	s.mu.Unlock()
	if !dead {
		return notices
	}
	s.Remove(pid)
	return append(notices, core.Notice{PID: pid, Events: process.Exited})
}

// ended reports whether the end of a first thread was the end of its process. It is not
// while other threads run, and when one of them execs it becomes the first: then a pidfd
// is left to announce the end.
//
// At the moment of that exec, the row and the pidfd can both show the thread that is
// ending. Only what both show counts. ended tries until they agree.
func (s *connectorSource) ended(pid int) (dead bool, err error) {
	for range maxAttempts {
		p, gone := s.lookup(pid)
		start := s.startOf(pid)
		if errors.Is(gone, process.ErrGone) || gone == nil && p.Start != start && start != unread {
			return true, nil
		}
		err = s.pidfds.Add(pid)
		if errors.Is(err, process.ErrGone) {
			continue
		}
		if err != nil {
			return false, err
		}
		switch dead := s.pidfds.ended(pid); {
		case !dead:
			return false, nil
		case gone == nil && p.State == process.Zombie:
			return true, nil
		}
		err = gone
	}
	// The row of a hidden process never shows, and its pidfd has not changed its answer.
	return errors.Is(err, fs.ErrPermission), butHidden(err)
}

// butHidden returns the error unless it means that the process is hidden.
func butHidden(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return err
}

// maxAttempts is how often the row and the pidfd of a process are compared until
// they agree.
const maxAttempts = 100

// bornBy returns the latest start time of a process that was announced at a moment of
// the monotonic clock. A process that was born later only has the same PID.
//
// The clock that runs on while the machine sleeps is read last. If the thread waits for
// the processor between the two, the result is too late, which hardly matters. A result
// that is too early would make the process itself look like a later one.
func bornBy(at time.Duration) process.StartTime {
	var boot, monotonic unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &monotonic) != nil || unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot) != nil {
		return math.MaxInt64
	}
	asleep := time.Duration(boot.Nano() - monotonic.Nano())
	return process.StartTime((at+asleep)/clockTick) + 1
}

// clockTick is the unit of start times in /proc: USER_HZ is 100 everywhere.
const clockTick = 10 * time.Millisecond
