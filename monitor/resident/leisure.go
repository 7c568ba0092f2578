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

// guardless returns how long the resident may serve before it starts a guard: until it has
// answered its first request, whose client waits, or none has come. One that a guard has
// started watches that at once.
func (s *server) guardless() time.Duration {
	if s.Guard.PID() != 0 {
		return 0
	}
	return welcome
}

// idles is called when all requests are answered. One that is carried out counts, and no greeting
// that came before it.
func (s *server) idles() {
	s.mu.Lock()
	first := s.asked && s.busy == 0 && !s.quiet
	s.quiet = s.quiet || first
	s.mu.Unlock()
	if first {
		s.stirred()
	}
}

// hasAnswered reports whether a request was answered.
func (s *server) hasAnswered() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.quiet
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
