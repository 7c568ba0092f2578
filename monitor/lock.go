package monitor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/gemini-monitor/gemini/internal/flock"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// ErrWatched reports that a runtime has a monitor already.
var ErrWatched = errors.New("is watched already")

// lock makes the calling process the monitor of the runtime until the file is
// closed. Only the holder of this lock removes a runtime.
//
// A process that is no monitor, or that was started to be the monitor of an earlier runtime
// of this name, may hold the lock for a moment. That is waited for.
func (r *Runtime) lock(ctx context.Context) (*os.File, error) {
	file, err := r.openLock()
	if err != nil {
		return nil, err
	}
	if err = r.take(file); errors.Is(err, ErrWatched) && !r.hasMonitor() {
		limited, done := withPatience(ctx, clearing)
		defer done()
		if waited := r.awaitLock(limited, file, func() {}); !errors.Is(waited, ErrWatched) {
			err = waited
		}
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// hasMonitor reports whether the record names a monitor that lives, or may live.
func (r *Runtime) hasMonitor() bool {
	record, err := r.Record()
	return err != nil || record.Monitor != nil && mayLive(*record.Monitor, wordFor(record.Machine))
}

// Watched reports whether a process holds the lock of the runtime, as its monitor does.
func (r *Runtime) Watched() (bool, error) {
	file, err := r.openLock()
	if err != nil {
		return false, err
	}
	defer file.Close() // which frees the lock
	got, err := flock.Try(file, false)
	return !got && err == nil, err
}

// belongsTo returns [ErrNotExist] where the runtime has another owner, if one is meant.
func (r *Runtime) belongsTo(owner process.Identity) error {
	if owner == (process.Identity{}) {
		return nil
	}
	record, err := r.Record()
	if err == nil && record.Owner != owner {
		err = r.wrap(ErrNotExist)
	}
	return err
}

func (r *Runtime) openLock() (*os.File, error) {
	file, err := openRegular(r.path(lockFile), os.O_RDWR)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, r.wrap(ErrNotExist)
	}
	if err != nil {
		return nil, r.wrap(fmt.Errorf("cannot be locked: %w", cause(err)))
	}
	return file, nil
}

// take locks the open lock file.
func (r *Runtime) take(file *os.File) error {
	got, err := flock.Try(file, true)
	if err != nil {
		return r.wrap(fmt.Errorf("cannot be locked: %w", err))
	}
	if ours, err := r.lockedBy(file); err != nil {
		return r.wrap(fmt.Errorf("cannot be locked: %w", err))
	} else if !ours {
		return r.wrap(ErrNotExist) // it was removed since the file was opened
	}
	if got {
		return nil
	}
	if record, err := r.Record(); err == nil && record.Monitor != nil {
		return r.wrap(fmt.Errorf("%w, by process %d", ErrWatched, record.Monitor.PID))
	}
	return r.wrap(ErrWatched)
}

// lockedBy reports whether an open file is the lock of the runtime that has the
// name now. It returns false where the runtime was removed, also where a later
// runtime has its name.
func (r *Runtime) lockedBy(file *os.File) (bool, error) {
	opened, err := file.Stat()
	if err != nil {
		return false, err
	}
	named, err := os.Stat(r.path(lockFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, cause(err)
	}
	return os.SameFile(opened, named), nil
}

// awaitLock takes the lock of a runtime whose monitor is about to end, if it has
// one. Before each try it calls hasten.
func (r *Runtime) awaitLock(ctx context.Context, lock *os.File, hasten func()) error {
	hasten()
	if err := r.take(lock); !errors.Is(err, ErrWatched) {
		return err
	}
	wait := sleep
	var releases ReleaseNotifier
	if released, err := releases.listen(r.path(lockFile)); err == nil { // else by looking alone
		defer released.close()
		wait = released.wait
	}
	for patience := quickLook; ; patience = min(2*patience, time.Second) {
		hasten()
		if err := r.take(lock); !errors.Is(err, ErrWatched) {
			return err
		}
		if err := wait(ctx, patience); err != nil {
			return r.wrap(fmt.Errorf("%w, and its monitor does not end: %w", ErrWatched, context.Cause(ctx)))
		}
	}
}

// sleep returns nil when the time is over, and the error of ctx when that has ended.
func sleep(ctx context.Context, atMost time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(atMost):
		return nil
	}
}
