package resident

import (
	"time"
)

// welcome is how long a resident waits for the first request. The process that started
// it is about to ask.
const welcome = 2 * time.Second

// calmAfter is how long nothing was asked and no runtime has ended, when a resident gives
// memory back. That takes a collection of garbage, so not each request is followed by one.
const calmAfter = 500 * time.Millisecond

// work counts a request, or what else keeps the resident busy.
func (s *server) work(change int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy += change
}

// patience returns how long the resident waits from now on, if nothing comes. It began
// some time ago.
func (s *server) patience(served time.Duration) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked {
		return max(s.Idle, 0)
	}
	return max(s.Idle, welcome-served)
}

func (s *server) stirred() {
	select {
	case s.stir <- struct{}{}:
	default:
	}
}

// idle reports whether there is nothing to do.
func (s *server) idle() bool { return s.watchesNone() && s.sweeping.idle() }

// watchesNone reports whether nothing is watched, and no request is in work.
func (s *server) watchesNone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.busy == 0 && s.watches.count() == 0
}

// leave closes the door for good if there is nothing to do. A client that comes at that
// moment is refused, waits for the lock and starts the next resident.
func (s *server) leave() bool {
	return s.idle() && s.watches.closeIdle()
}
