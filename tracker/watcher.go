package tracker

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/internal/kernel"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// A Notice reports what became of a watched process since the last notice about
// it. Notices may merge: several forks are one, and a fork and an exit come
// together.
type Notice struct {
	PID    int
	Events process.Events
	// Child is the PID of the child that was made, where the kernel reports it;
	// see [process.ForksNamed]. Such notices do not merge.
	Child int
	// Lost means that notices about any process may be missing before this
	// one, which names no process.
	Lost bool
}

// A Watcher delivers notices about the PIDs it was asked to watch: by kqueue on
// macOS, by the proc connector or pidfds on Linux. One goroutine uses it at a time:
// otherwise a notice that another goroutine is about to return could be taken for one
// about a later process with the same PID. Close may be called from any goroutine.
type Watcher struct {
	source  core.Source
	buffer  []core.Notice
	closed  atomic.Bool
	running sync.Mutex // held by every method but Close, which waits for it
}

// NewWatcher returns a watcher that watches no process. Close it after use. The
// error is [errors.ErrUnsupported] on systems other than macOS and Linux.
func NewWatcher() (*Watcher, error) {
	source, _, err := kernel.OpenSource("")
	if err != nil {
		return nil, fmt.Errorf("open watcher: %w", err)
	}
	return &Watcher{source: source}, nil
}

// Forks returns what is reported of forks here. Execs are reported unless forks
// are unseen.
func (w *Watcher) Forks() process.Forks { return w.source.Forks() }

// Add begins to watch the process that has the PID now. A caller that read the PID from
// a table compares the start time again after Add: the PID may have gone to another
// process meanwhile. Adding a watched PID again watches its present
// process. The error is [process.ErrGone] when there is no such process, when it is
// dead, and on macOS also when it has begun to exit.
func (w *Watcher) Add(pid int) error {
	return w.use(func() error {
		if err := w.source.Add(pid); err != nil {
			return fmt.Errorf("watch process %d: %w", pid, err)
		}
		return nil
	})
}

// Remove ends watching the PID. It is no error if the PID is not watched.
func (w *Watcher) Remove(pid int) error {
	return w.use(func() error {
		w.source.Remove(pid)
		return nil
	})
}

// Next blocks until there are notices, ctx ends or the watcher is closed. The
// slice is the caller's. A PID leaves the watcher with its Exited notice.
func (w *Watcher) Next(ctx context.Context) (notices []Notice, err error) {
	err = w.use(func() error {
		defer wakeWhenDone(ctx, w.source)()
		for len(notices) == 0 {
			if w.closed.Load() {
				return ErrClosed
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			if w.buffer, err = w.source.Next(w.buffer[:0], core.Forever); err != nil {
				return fmt.Errorf("wait for notices: %w", err)
			}
			for _, n := range w.buffer {
				notices = append(notices, Notice{PID: n.PID, Events: n.Events, Child: n.Child, Lost: n.Lost})
			}
		}
		return nil
	})
	return notices, err
}

// wakeWhenDone wakes a source when ctx ends. The function that it returns ends
// that, and has seen to it that no wake comes later.
func wakeWhenDone(ctx context.Context, s core.Source) (stop func()) {
	woken := make(chan struct{})
	cancel := context.AfterFunc(ctx, func() {
		defer close(woken)
		s.Wake()
	})
	return func() {
		if !cancel() {
			<-woken
		}
	}
}

// Close ends the watcher. A Next that is under way returns [ErrClosed].
func (w *Watcher) Close() error {
	if w.closed.Swap(true) {
		return ErrClosed
	}
	w.source.Wake()
	w.running.Lock()
	defer w.running.Unlock()
	return w.source.Close()
}

func (w *Watcher) use(f func() error) error {
	w.running.Lock()
	defer w.running.Unlock()
	if w.closed.Load() {
		return ErrClosed
	}
	return f()
}
