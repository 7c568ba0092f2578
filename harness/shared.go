//go:build darwin || linux

package harness

import "sync"

// Shared are values that the test adds and that another goroutine may read: the one that
// reports when the time of the test run ends, or Ginkgo's, which shows the progress.
type shared[T any] struct {
	mu  sync.Mutex
	all []T
}

func (s *shared[T]) add(one T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, one)
}

// list returns the values in their order. The caller does not change them.
func (s *shared[T]) list() []T {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[:len(s.all):len(s.all)]
}
