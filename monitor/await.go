package monitor

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/gemini-monitor/gemini/internal/flock"
	"github.com/gemini-monitor/gemini/internal/vigil"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// A Wait is for one runtime to be gone, or idle.
type Wait struct {
	// Name and Owner are those of its record: a later runtime of the name is another one.
	Name  string
	Owner process.Identity
	// Unwatched, if it is set, is called where no monitor has the runtime for longer than a
	// new one takes to begin: by itself the runtime never goes then. It is called again, at
	// growing distances, while that is so.
	Unwatched func(context.Context)
	// Written, if it is set, is called whenever the log of the runtime may have got longer,
	// and before Await returns nil. Its error ends the wait.
	Written func() error
	// Log receives what happens, at the debug level. It may be nil.
	Log *slog.Logger
}

// Await returns nil when a runtime is gone: its directory root is deleted with all that was in
// it, and its record after that; or it was removed or replaced by hand, or it is idle, or run
// again. The monitor may still be deleting its own files then. It returns the error of ctx when
// that has ended, and an error where the runtime is broken or its store cannot be read.
//
// It is woken by changes of the directory and by the release of the monitor's lock, and not
// by time. Where these cannot be watched, it looks at a slow beat.
func (s *Store) Await(ctx context.Context, w Wait) error {
	if w.Log == nil {
		w.Log = slog.New(slog.DiscardHandler)
	}
	a := &awaiting{store: s, Wait: w, wake: make(chan struct{}, 1), beat: quickLook}
	defer a.leave()
	return a.run(ctx)
}

// An awaiting is a Wait that goes on.
type awaiting struct {
	Wait
	store *Store
	wake  chan struct{}
	beat  time.Duration // until the next look, while looks are timed

	dir      string // where the runtime was at the last look; what follows is about that place
	vigil    *vigil.Vigil
	lock     *os.File
	notifier ReleaseNotifier
	released *listener
	held     bool // a monitor has the lock
}

func (a *awaiting) run(ctx context.Context) error {
	for {
		gone, err := a.look(ctx)
		if gone || err != nil {
			return err
		}
		if err := a.rest(ctx); err != nil {
			return err
		}
	}
}

// unattended is how long no process may have the lock of a runtime before Unwatched is
// called. The guard of a resident starts another one sooner.
const unattended = 100 * time.Millisecond

// look finds out whether the runtime is gone, and does what is to be done where it is not.
func (a *awaiting) look(ctx context.Context) (gone bool, err error) {
	dir, err := a.store.locate(a.Name, a.Owner)
	if err == nil && dir != a.dir {
		// Watched first: what happens from now on is reported, and what has happened is seen.
		a.watch(dir)
		dir, err = a.store.locate(a.Name, a.Owner)
		a.ring() // the place may be another one already
	}
	switch {
	case errors.Is(err, ErrNotExist):
		return true, a.written()
	case errors.Is(err, ErrBroken) && a.beat < unattended:
		return false, nil // a directory that is removed by hand loses its record first
	case err != nil:
		return false, err
	}
	if err := a.written(); err != nil {
		return false, err
	}
	before := a.held
	if a.held = a.monitored(); before && !a.held {
		a.beat = quickLook
	}
	if a.held || a.beat < unattended {
		return false, nil
	}
	return false, a.attend(ctx, dir)
}

func (a *awaiting) written() error {
	if a.Written == nil {
		return nil
	}
	return a.Written()
}

// attend has the runtime watched, if no monitor has it for some time.
func (a *awaiting) attend(ctx context.Context, dir string) error {
	if filepath.Dir(dir) != a.store.trash() {
		survey, err := a.store.Survey()
		if err != nil {
			return err
		}
		status, err := survey.statusOf(a.Name)
		switch {
		case errors.Is(err, ErrNotExist):
			a.ring()
			return nil
		case err != nil:
			return err
		case status.State == StateBroken:
			return errors.New(status.Reason)
		case status.State != StateUnmonitored:
			return nil // it starts, or its monitor is about to end
		}
	}
	a.Log.Debug("no monitor has the runtime", "runtime", a.Name)
	if a.Unwatched != nil {
		a.Unwatched(ctx)
	}
	return nil
}

// watch begins to watch the place where the runtime is now. What cannot be watched is looked
// at.
func (a *awaiting) watch(dir string) {
	a.leave()
	a.dir, a.beat = dir, quickLook
	subject := vigil.Subject{Dir: dir, Entries: []string{recordFile}}
	if a.Written != nil {
		subject.File = logFile
	}
	var err error
	if a.vigil, err = vigil.Keep(subject, func(vigil.Change) { a.ring() }); err != nil {
		a.Log.Debug("changes of the runtime are not reported: it is looked at", "runtime", a.Name, "every", dirLook, "error", err)
	}
	lock := filepath.Join(dir, lockFile)
	if a.released, err = a.notifier.listen(lock); err != nil {
		a.Log.Debug("the end of the monitor is not reported", "runtime", a.Name, "error", err)
	}
	a.lock, _ = openRegular(lock, os.O_RDWR) // without it, see monitored
}

// leave ends what watch has begun.
func (a *awaiting) leave() {
	a.vigil.Close()
	if a.released != nil {
		a.released.close()
	}
	if a.lock != nil {
		a.lock.Close()
	}
	a.vigil, a.released, a.lock, a.dir = nil, nil, nil, ""
}

func (a *awaiting) ring() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// monitored reports whether a process has the lock of the runtime. It takes the lock for a
// moment where it is free, and closes no file, which would be reported as a release.
func (a *awaiting) monitored() bool {
	if a.lock == nil {
		return true // not known
	}
	got, err := flock.Try(a.lock, false)
	if got {
		_ = flock.Release(a.lock)
	}
	return !got || err != nil
}
