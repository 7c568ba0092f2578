package resident

import "sync"

// A shift is work that is done each time that it is called for, in a goroutine that ends when
// nothing calls for it any more. Calls that come while it is done have it done once again. The
// zero shift has not begun.
type shift struct {
	mu     sync.Mutex
	work   func() (over bool) // nil before it begins, and when it is over
	going  bool               // the goroutine is there
	called bool               // since the work was begun last
}

// begin begins the shift, and calls for the work. It is not called for after work has returned
// that it is over.
func (s *shift) begin(work func() (over bool)) {
	s.mu.Lock()
	s.work = work
	s.mu.Unlock()
	s.call()
}

// call calls for the work, and returns at once. Before begin it does nothing, and when the
// shift is over.
func (s *shift) call() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.work == nil {
		return
	}
	s.called = true
	if !s.going {
		s.going = true
		go s.run(s.work)
	}
}

func (s *shift) run(work func() (over bool)) {
	for s.goesOn() {
		if work() {
			s.end()
			return
		}
	}
}

// goesOn takes the calls that have come, and reports whether there was one.
func (s *shift) goesOn() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.going, s.called = s.called, false
	return s.going
}

func (s *shift) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.work, s.going = nil, false
}
