package monitor

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"github.com/gemini-monitor/gemini/internal/vigil"
)

// A lookout keeps which files of a store have changed.
type lookout struct {
	store *Store
	log   *slog.Logger
	vigil *vigil.Many
	blind bool // something is not watched
	again bool // what is not watched is to be tried again
	wake  chan struct{}

	mu      sync.Mutex
	changed changes // guarded by mu
}

// Changes are paths of what has changed.
type changes map[string]bool

// has reports whether a path may have changed.
func (c changes) has(path string) bool { return c[vigil.All] || c[path] }

// begin watches the directories of the store. At first all has changed.
func (l *lookout) begin() {
	l.note(vigil.All, 0)
	l.watchStore()
}

func (l *lookout) watchStore() {
	if l.vigil == nil {
		var err error
		if l.vigil, err = vigil.KeepMany(l.note); err != nil {
			l.unwatched(err)
		}
	}
	l.watch(l.store.dir)
	l.watch(l.store.runtimes())
	l.watch(l.store.history())
}

// note keeps that a path has changed. The vigil calls it.
func (l *lookout) note(path string, _ vigil.Change) {
	l.mu.Lock()
	l.changed[path] = true
	l.mu.Unlock()
	l.ring()
}

func (l *lookout) ring() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// take returns what has changed since the last call.
func (l *lookout) take() changes {
	l.mu.Lock()
	defer l.mu.Unlock()
	changed := l.changed
	l.changed = make(changes)
	return changed
}

// watch has changes of a path reported. A history that is not there yet is watched when the
// store has changed.
func (l *lookout) watch(path string) {
	if l.vigil == nil {
		return
	}
	if err := l.vigil.Add(path); err != nil && !(errors.Is(err, fs.ErrNotExist) && path == l.store.history()) {
		l.unwatched(err)
	}
}

// drop ends that.
func (l *lookout) drop(path string) {
	if l.vigil != nil {
		l.vigil.Drop(path)
	}
}

func (l *lookout) unwatched(err error) {
	if !l.blind {
		l.log.Debug("some changes are not reported: the store is looked at", "every", dirLook, "error", err)
	}
	l.blind = true
}

// rest waits until something has changed. It returns the error of ctx when that has ended.
func (l *lookout) rest(ctx context.Context) error {
	var due <-chan time.Time
	l.again = false
	if l.blind {
		timer := time.NewTimer(dirLook)
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-due:
		l.note(vigil.All, 0)
		l.blind, l.again = false, true
		l.watchStore()
	case <-l.wake:
	}
	return nil
}

func (l *lookout) close() { l.vigil.Close() }
