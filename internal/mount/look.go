//go:build darwin || linux

package mount

import (
	"runtime"
	"sync"
)

// A look is one reading of the mount points, for all calls that came before it began.
type look struct {
	parents map[string]canon // by the directories that were asked about
	points  []string
	err     error
	over    chan struct{} // closed when the rest is written
}

// A canon is the canonical path of a directory.
type canon struct {
	path string
	err  error
}

// A queue has the look that is about to begin.
type queue struct {
	mu   sync.Mutex
	next *look // nil where none is
}

var lookings queue

// join returns a look that began after the call, with the canonical path of a directory.
// The first of those that share one carries it out. It has other goroutines run before:
// where hundreds of runtimes end at once, most of them ask about the same moment.
func (q *queue) join(parent string) *look {
	q.mu.Lock()
	l, first := q.next, q.next == nil
	if first {
		l = &look{parents: make(map[string]canon), over: make(chan struct{})}
		q.next = l
	}
	l.parents[parent] = canon{}
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
	for dir := range l.parents {
		path, err := canonical(dir)
		l.parents[dir] = canon{path, err}
	}
	l.points, l.err = points()
	return l
}
