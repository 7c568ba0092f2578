package monitor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// ErrIdle reports a durable runtime in which no process is, so that there is nothing to watch.
var ErrIdle = errors.New("is idle")

// durableVersion is the format of the record of a durable runtime. A program that knows no
// durable runtimes takes the record for broken, and deletes no runtime with such a record.
const durableVersion = 2

// idle returns the record of a durable runtime whose run has ended at a time. What was about
// that run alone is left out, but for its owner, its command and where that was started.
func (r Record) idle(since time.Time) Record {
	r.State, r.Reason, r.IdleSince = StateIdle, "", since.UTC()
	r.Monitor, r.Strangers, r.Marks = nil, nil, nil
	r.OnEmpty, r.OnEmptyRuns, r.Limits, r.Ending = nil, 0, Limits{}, nil
	return r
}

// neverBegan reports whether the command of the run was not started: it had no monitor.
func (r Record) neverBegan() bool { return r.State == StateStarting && r.Monitor == nil }

// ownerWaits reports whether the owner is known to wait for a monitor, or to have died waiting:
// no monitor has watched it, and it has called [Store.Run], which alone gives a mark. No
// other process is a member then.
func (r Record) ownerWaits() bool { return r.neverBegan() && len(r.Marks) > 0 }

// outlived reports whether this machine was started since the durable runtime was run. No
// process of the run lives, whatever the journal has: that was not synced, and may be damaged.
func (r Record) outlived() bool {
	if !r.Durable {
		return false
	}
	since, err := r.Owner.ThisBoot()
	here, _ := os.Hostname()
	return err == nil && !since && r.madeHere(here)
}

// makeIdle records that the durable runtime is idle, if it is still the one that was locked.
// The history has the run before: a process that waits for the end reads it then.
func (w *Watching) makeIdle() error {
	if err := w.stillOurs(); err != nil {
		return err
	}
	if !w.record.Durable {
		return errors.New("it is not durable")
	}
	if !w.record.neverBegan() {
		w.keepPast()
	}
	record := w.record.idle(time.Now())
	if err := record.write(w.dir()); err != nil {
		return err
	}
	w.record = record
	w.journal.state(statement{StateIdle, ""})
	w.countRemoval()
	w.runtime.forgetRun()
	return nil
}

// forgetRun deletes what the last run of an idle runtime has left beside its own directory,
// but for its journal and its log, which the next run replaces.
func (r *Runtime) forgetRun() {
	for _, file := range []string{hookFile, socketFile} {
		_ = os.Remove(r.path(file))
	}
}

// RemoveIdle removes an idle runtime, and what is in its own directory. A durable one that is
// over and has no monitor becomes idle first, as for the next run. The error is [ErrNotExist],
// [ErrNotIdle], or about a file system that is mounted in it. A removal that is interrupted is
// finished by the next monitor of the store.
func (r *Runtime) RemoveIdle(ctx context.Context) error {
	lock, record, err := r.lockIdle()
	if errors.Is(err, ErrNotIdle) {
		if now, unread := r.Record(); unread != nil || !now.Durable || r.clear(ctx) != nil {
			return err
		}
		lock, record, err = r.lockIdle()
	}
	if err != nil {
		return err
	}
	defer lock.Close()
	aside, err := r.setAside()
	if err != nil {
		return err
	}
	// Until its files are deleted it is this process that does so.
	if self, failed := process.Lookup(os.Getpid()); failed == nil {
		record.State, record.Monitor = StateStopping, &self.Identity
		_ = record.write(aside) // a full disk keeps no runtime
	}
	return r.delete(aside)
}

// ErrNotIdle reports a runtime that is not idle.
var ErrNotIdle = errors.New("is not idle")

// isGone reports whether an error is about a file that does not exist.
func isGone(err error) bool { return errors.Is(err, fs.ErrNotExist) }
