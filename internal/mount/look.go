//go:build darwin || linux

package mount

import (
	"runtime"
	"sync"
)

// A look is one reading of the mount points, for all calls that came before it began. It
// asks the kernel alone, so that no file system of one caller holds up another.
type look struct {
	points []string
	err    error
	over   chan struct{} // closed when the rest is written
}

// A queue has the look that is about to begin.
type queue struct {
	mu   sync.Mutex
	next *look // nil where none is
}

var lookings queue

// join returns a look that began after the call. The first of those that share one carries
// it out. It has other goroutines run before: where hundreds of runtimes end at once, most
// of them ask about the same moment.
func (q *queue) join() *look {
	q.mu.Lock()
	l, first := q.next, q.next == nil
	if first {
		l = &look{over: make(chan struct{})}
		q.next = l
	}
	q.mu.Unlock()
	if !first {
		<-l.over
		return l
	}
	runtime.Gosched()
	q.mu.Lock()
	q.next = nil
	q.mu.Unlock()
	defer close(l.over)
	l.points, l.err = points()
	return l
}
