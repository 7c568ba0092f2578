package monitor

import (
	"context"
	"sync"
)

// Requests are what other goroutines ask the one to do that watches a runtime. The zero value
// is ready for use.
type requests[T any] struct {
	told bell // there are requests

	mu      sync.Mutex
	waiting []*request[T]
	carried []*request[T] // carried out as soon as the life has taken the last event
	over    bool          // the watching has ended
}

// A request is what is asked for, with its answer.
type request[T any] struct {
	what T
	err  error
	done chan struct{} // closed when err is the answer
}

// ask has a request carried out, and waits for its answer.
func (r *requests[T]) ask(ctx context.Context, what T) error {
	one := &request[T]{what: what, done: make(chan struct{})}
	r.mu.Lock()
	if r.over {
		r.mu.Unlock()
		return ErrUnwatched
	}
	r.waiting = append(r.waiting, one)
	r.mu.Unlock()
	r.told.ring()
	select {
	case <-one.done:
		return one.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// take returns the requests that are waiting.
func (r *requests[T]) take() (waiting []*request[T]) {
	r.mu.Lock()
	defer r.mu.Unlock()
	waiting, r.waiting = r.waiting, nil
	r.carried = append(r.carried, waiting...)
	return waiting
}

// answer answers the requests that were carried out.
func (r *requests[T]) answer() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range r.carried {
		close(one.done)
	}
	r.carried = nil
}

// end answers all requests. One that was not carried out has the error [ErrUnwatched].
func (r *requests[T]) end() {
	for _, one := range r.take() {
		one.err = ErrUnwatched
	}
	r.mu.Lock()
	r.over = true
	r.mu.Unlock()
	r.answer()
}
