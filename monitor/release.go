package monitor

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// A ReleaseNotifier reports when the lease of a runtime may have become free.
// One serves all runtimes that a process watches. The zero value is ready for
// use; it needs no Close. It holds kernel resources, and runs one goroutine,
// only while the witnesses of some runtime disagree.
type ReleaseNotifier struct {
	mu        sync.Mutex
	source    *releaseSource      // nil while nothing is listened to
	reading   *sync.WaitGroup     // of the source
	listeners map[int][]*listener // by what the source calls the file
}

// A listener receives the releases of one file.
type listener struct {
	bell
	notifier *ReleaseNotifier
	file     int
}

// listen reports releases of the locks on a file until the listener is closed.
func (n *ReleaseNotifier) listen(path string) (*listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.source == nil {
		source, err := newReleaseSource()
		if err != nil {
			return nil, fmt.Errorf("watch lease: %w", err)
		}
		n.source, n.reading, n.listeners = source, new(sync.WaitGroup), make(map[int][]*listener)
		n.reading.Go(func() { n.read(source) })
	}
	file, err := n.source.add(path)
	if err != nil {
		n.closeIdle()
		return nil, fmt.Errorf("watch lease: %w", err)
	}
	l := &listener{notifier: n, file: file}
	n.listeners[file] = append(n.listeners[file], l)
	return l, nil
}

// read passes on what the source reports until the source is closed. When the
// source fails, its listeners receive nothing more until the last of them is closed.
// A life does not depend on releases: its look timer goes on.
func (n *ReleaseNotifier) read(source *releaseSource) {
	for {
		files, err := source.next()
		if err != nil {
			return
		}
		n.report(source, files)
	}
}

func (n *ReleaseNotifier) report(source *releaseSource, files []int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.source != source {
		return // the numbers belong to a later source now
	}
	for _, file := range files {
		for _, l := range n.listeners[file] {
			l.ring()
		}
	}
}

// closeIdle closes the source where there is no listener. The caller holds n.mu,
// which closeIdle unlocks while it waits for the goroutine.
func (n *ReleaseNotifier) closeIdle() {
	source, reading := n.source, n.reading
	if len(n.listeners) > 0 {
		return
	}
	n.source = nil
	source.stop()
	n.mu.Unlock()
	reading.Wait()
	source.close()
	n.mu.Lock()
}

func (l *listener) close() {
	n := l.notifier
	n.mu.Lock()
	defer n.mu.Unlock()
	rest := without(n.listeners[l.file], l)
	if len(rest) > 0 {
		n.listeners[l.file] = rest
		return
	}
	delete(n.listeners, l.file)
	n.source.remove(l.file)
	n.closeIdle()
}

func without(all []*listener, one *listener) (rest []*listener) {
	for _, l := range all {
		if l != one {
			rest = append(rest, l)
		}
	}
	return rest
}

// wait returns nil when the lock may have become free or the time is over, and
// the error of ctx when that has ended. It takes the releases reported.
func (l *listener) wait(ctx context.Context, atMost time.Duration) error {
	limited, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	disarm := l.arm(cancel)
	<-limited.Done()
	disarm()
	l.take()
	return ctx.Err()
}
