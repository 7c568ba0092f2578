package resident

import (
	"sync"
	"time"

	"github.com/gemini-monitor/gemini/monitor"
)

// A sweep deletes what dead processes have left in the store, beside all else. A file
// system that does not answer blocks it, and nothing but it.
type sweep struct {
	mu      sync.Mutex
	wanted  bool
	running bool
	last    time.Time // when the last one ended
}

// sweepBeat is how often the store is swept while runtimes are watched.
const sweepBeat = 5 * time.Second

// want asks for a sweep.
func (s *sweep) want() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wanted = true
}

// begin sweeps in a goroutine, if that is wanted and none is under way, and tells ended
// then. It returns how long it is until a sweep that is wanted may begin, 0 for none. In a
// quiet time it begins at once.
//
// What is watched is not looked at: of a thousand runtimes that takes longer than all else.
func (s *sweep) begin(store *monitor.Store, watched func() []string, quiet bool, ended chan<- struct{}) (wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.wanted || s.running {
		return 0
	}
	if wait := sweepBeat - time.Since(s.last); wait > 0 && !quiet {
		return wait
	}
	s.wanted, s.running = false, true
	go func() {
		store.SweepBut(watched())
		s.mu.Lock()
		s.running, s.last = false, time.Now()
		s.mu.Unlock()
		select {
		case ended <- struct{}{}:
		default: // the word about an earlier one was not taken yet
		}
	}()
	return 0
}

// idle reports whether no sweep is wanted or under way.
func (s *sweep) idle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.running && !s.wanted
}
