package monitor

import "sync"

// A bell rings until it is taken. The zero value is silent.
type bell struct {
	mu      sync.Mutex
	pending bool   // it has rung, and no wait has taken that yet
	wake    func() // nil while nothing waits
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pending = true
	if b.wake != nil {
		b.wake()
	}
}

// arm calls wake when the bell rings, or at once where it has rung. disarm ends that.
func (b *bell) arm(wake func()) (disarm func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wake = wake
	if b.pending {
		wake()
	}
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.wake = nil
	}
}

// take silences the bell, and reports whether it has rung.
func (b *bell) take() (rung bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	rung, b.pending = b.pending, false
	return rung
}
