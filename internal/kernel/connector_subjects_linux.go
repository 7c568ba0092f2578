package kernel

import (
	"errors"
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// A subject is a process that is watched.
type subject struct {
	// start is when the process was made. It distinguishes the subject from a later
	// process with the same PID. It is zero for a process that is watched from birth
	// and was gone when it was looked up. It is unborn while the queue has the birth
	// of a process with this PID and none is watched yet. It is unread for a process that is hidden.
	start process.StartTime
	// births counts the forks in the queue that make a process with this PID. The
	// events before them are about an earlier process.
	births int
	// born means that its birth was taken from the queue: the next birth of a process with
	// this PID is that of another one, whatever the start times are.
	born bool
	// dead is set once it is established that the process has ended. Its exit is
	// returned after all other events of it.
	dead bool
}

const (
	unborn process.StartTime = -1
	unread process.StartTime = -2
)

func (s *connectorSource) watch(pid int, start process.StartTime) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watched[pid] = subject{start: start, births: s.watched[pid].births}
	if _, armed := s.pidfds.pidfds[pid]; !armed {
		s.unarm(pid)
	}
}

// Remove ends watching the process that has the PID, but not a later one whose birth
// is in the queue.
func (s *connectorSource) Remove(pid int) {
	s.pidfds.Remove(pid)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disarm(pid)
	if births := s.watched[pid].births; births > 0 {
		s.watched[pid] = subject{start: unborn, births: births}
		return
	}
	delete(s.watched, pid)
}

// expect counts a birth that is in the queue from now on. It is called with the lock
// held.
func (s *connectorSource) expect(pid int) {
	child, ok := s.watched[pid]
	if !ok {
		child.start = unborn
	}
	child.births++
	s.watched[pid] = child
}

// born takes a birth out of those to come.
func (s *connectorSource) born(pid int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.watched[pid]
	if found.births == 0 {
		return
	}
	found.births--
	if s.watched[pid] = found; found.start == unborn && found.births == 0 {
		delete(s.watched, pid)
	}
}

// ownBirth is how long after its start time the birth of a process is announced
// at the latest. Until then it can be in the table, and be watched.
const ownBirth = process.StartTime(time.Second / clockTick)

// replace is called when a PID was given to a newborn. An old subject with this PID is
// dead, though its exit may be announced later. If it may be the newborn itself (born
// within ownBirth, and its birth not announced yet), replace concludes nothing. The start time
// has 10 ms for its unit, in which a PID can be used twice.
func (s *connectorSource) replace(pid int, at time.Duration) {
	start := s.startOf(pid)
	switch {
	case !s.watches(pid):
		return
	case s.wasBorn(pid):
	case start+ownBirth > bornBy(at):
		return
	default:
		p, err := s.lookup(pid)
		if err != nil && !errors.Is(err, process.ErrGone) || err == nil && (p.Start == start || start == unread) {
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.watched[pid]
	found.dead = true
	s.watched[pid] = found
}

// watches reports whether a process with this PID is watched, rather than only one
// whose birth is in the queue.
func (s *connectorSource) watches(pid int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.watched[pid]
	return ok && found.start != unborn
}

// wasBorn reports whether the birth of the process with this PID was taken.
func (s *connectorSource) wasBorn(pid int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watched[pid].born
}

// watchNewborn watches a process whose birth was just taken.
func (s *connectorSource) watchNewborn(pid int, start process.StartTime) {
	s.watch(pid, start)
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.watched[pid]
	found.born = true
	s.watched[pid] = found
}

func (s *connectorSource) startOf(pid int) process.StartTime {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watched[pid].start
}
