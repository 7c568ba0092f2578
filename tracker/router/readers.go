package router

import (
	"sync"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// Readers are readers of the process table, for one look-up each at a time.
type readers struct {
	mu     sync.Mutex
	idle   []*process.Reader
	closed bool
}

// mostIdle is how many readers wait for the next look-up. Each holds a descriptor on Linux.
const mostIdle = 4

func (r *readers) take() (*process.Reader, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if last := len(r.idle) - 1; last >= 0 {
		found := r.idle[last]
		r.idle = r.idle[:last]
		return found, nil
	}
	return process.OpenReader()
}

func (r *readers) give(one *process.Reader) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || len(r.idle) == mostIdle {
		one.Close()
		return
	}
	r.idle = append(r.idle, one)
}

func (r *readers) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for _, one := range r.idle {
		one.Close()
	}
	r.idle = nil
}
