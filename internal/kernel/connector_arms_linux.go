package kernel

import (
	"errors"
	"maps"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// While the reader rests for longer than a breather, each watched process is armed: a
// pidfd tells Next of its end. A process that is watched newly ends such a rest.

// arms is which processes are to be armed, and whether. The source's lock guards it.
type arms struct {
	missing map[int]struct{} // watched, and without a pidfd
	changed bool             // since the reader has asked for pidfds
	todo    []int            // the reader asks Next for their pidfds
	resting bool             // the reader rests for longer than a breather
	since   time.Time        // when the kernel's buffer was emptied last
}

// unarm notes that a watched process has no pidfd. It ends a long rest. It is called
// with the lock held.
func (s *connectorSource) unarm(pid int) {
	if s.arms.missing == nil {
		s.arms.missing = make(map[int]struct{})
	}
	s.arms.missing[pid], s.arms.changed = struct{}{}, true
	if s.arms.resting {
		s.arms.resting = false
		s.gate.ring()
	}
}

// disarm forgets a process that is not watched any more. Its pidfd is closed: another one
// may get that descriptor. It is called with the lock held.
func (s *connectorSource) disarm(pid int) {
	delete(s.arms.missing, pid)
	s.arms.changed = true
}

// batch receives what is there and returns how long the reader rests. Where processes are
// not armed that could be, it has Next arm them.
func (s *connectorSource) batch() time.Duration {
	wake := s.receive()
	s.mu.Lock()
	defer s.mu.Unlock()
	armed := s.children && len(s.arms.missing) == 0
	if s.children && !armed && s.arms.changed && s.pace.settled() && s.lose == nil {
		s.arms.todo, s.arms.changed, wake = slices.AppendSeq(s.arms.todo[:0], maps.Keys(s.arms.missing)), false, true
	}
	rest := s.pace.next(armed && s.pace.settled())
	s.arms.resting = rest > breather
	if wake {
		s.Wake()
	}
	return rest
}

// armsAtOnce is how many pidfds are opened between two looks for news.
const armsAtOnce = 64

// arm opens pidfds where the reader has asked for them. The PID may be another process's
// by now: then the exit of the watched one is in the buffer, and checkEnd asks who ended.
func (s *connectorSource) arm() {
	for _, pid := range s.toArm() {
		err := s.pidfds.addSparing(pid, armedShare)
		if errors.Is(err, process.ErrGone) {
			continue // its exit is in the buffer
		}
		s.mu.Lock()
		if err == nil {
			delete(s.arms.missing, pid)
		} else {
			s.arms.todo = nil // there are no descriptors: another time
		}
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// toArm returns some processes to open pidfds for. If these are not all, Next is called
// again.
func (s *connectorSource) toArm() (pids []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.arms.todo) > 0 && len(pids) < armsAtOnce {
		last := len(s.arms.todo) - 1
		pid := s.arms.todo[last]
		if s.arms.todo = s.arms.todo[:last]; s.misses(pid) {
			pids = append(pids, pid)
		}
	}
	if len(s.arms.todo) > 0 {
		s.Wake()
	}
	return pids
}

// misses reports whether a watched process has no pidfd. It is called with the lock held.
func (s *connectorSource) misses(pid int) bool {
	_, missing := s.arms.missing[pid]
	return missing
}

// armedShare is the share of the descriptors that armed processes may take: they are for
// rest only, and a runtime needs some, too.
const armedShare = 2

// addSparing is Add where the descriptor is among the first of all, as many as the limit
// divided by a share.
func (w *pidfdSource) addSparing(pid int, share uint64) error {
	if _, ok := w.pidfds[pid]; ok {
		return nil
	}
	if err := w.Add(pid); err != nil {
		return err
	}
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) == nil && uint64(w.pidfds[pid]) >= limit.Cur/share {
		w.Remove(pid)
		return unix.EMFILE
	}
	return nil
}

// Lags reports whether forks and execs of watched processes may have waited in the kernel's
// buffer for longer than a breather.
func (s *connectorSource) Lags() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.arms.resting && time.Since(s.arms.since) > breather
}
