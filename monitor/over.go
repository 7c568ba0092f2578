package monitor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/gemini-monitor/gemini/internal/mark"
	"github.com/gemini-monitor/gemini/tracker"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// clearing is how long to wait for a lease that is held, and concluding for a monitor that
// seems to be just removing its runtime: on a busy machine that takes its time. A spec may
// change them.
var (
	clearing   = time.Second
	concluding = 5 * time.Second
)

// attempts is how often a name is tried that is always taken and always free again.
const attempts = 10

// reasonUnsettled is the reason of a runtime about which one of the witnesses is silent.
const reasonUnsettled = "whether it has live processes is not settled"

// errInUse: the runtime has a monitor, or is being started.
var errInUse = errors.New("in use")

// appear gives a new runtime its name. A runtime that is over is removed for it, and a
// durable one is run again: before is its record then. The error is [ErrExist] where one
// stays that has the name, with what can be done.
func (r *Runtime) appear(ctx context.Context, stage string, record Record) (before *Record, err error) {
	for range attempts {
		// rename replaces nothing but an empty directory, and no runtime is one.
		err := os.Rename(stage, r.Dir())
		if err == nil {
			return nil, nil
		}
		if _, free := os.Lstat(r.Dir()); free != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		if before, err := r.rerun(stage, record); !errors.Is(err, ErrNotIdle) && !errors.Is(err, ErrNotExist) {
			return before, err
		}
		switch err := r.clear(ctx); {
		case errors.Is(err, errInUse):
			if _, gone := os.Lstat(r.Dir()); errors.Is(gone, fs.ErrNotExist) {
				continue // it was removed just now
			}
			return nil, r.wrap(ErrExist)
		case err != nil:
			return nil, r.wrap(fmt.Errorf("%w: %w", ErrExist, err))
		}
	}
	return nil, r.wrap(ErrExist)
}

// clear removes the runtime if it is over, or makes it idle if it is durable: its owner and
// its members are dead, no process of the table is one, and none holds the lease or the lock.
// It returns nil where the runtime is gone or idle, [errInUse], or why it stays and what can
// be done.
//
// The table is read first, so that the lock of a runtime in use is never taken.
func (r *Runtime) clear(ctx context.Context) error {
	survey, err := r.store.Survey()
	if err != nil {
		return err
	}
	status, err := survey.statusOf(r.name)
	switch {
	case errors.Is(err, ErrNotExist):
		return nil
	case err != nil:
		return err
	case status.State == StateIdle:
		return nil
	case status.State == StateBroken:
		return fmt.Errorf("%s; delete %s if it is not needed", status.Reason, r.Dir())
	}
	if err := status.visible(); err != nil {
		return fmt.Errorf("%w; use another name, or delete %s if it is not needed", err, r.Dir())
	}
	lives := survey.alive(&status.Owner) && !status.excludes(status.Owner) || len(status.Members) > 0
	switch {
	case lives && status.State == StateUnmonitored:
		return r.inhabited(survey.inhabitants(status))
	case lives, status.State == StateUnknown:
		return errInUse
	case status.unremovable():
		return errors.New(status.Reason)
	case len(status.OnEmpty) > 0 && status.Monitor != nil:
		return r.advise("its on-empty command has not ended")
	}
	return r.clearLocked(ctx)
}

// advise returns why the runtime stays, with the command that goes on with it.
func (r *Runtime) advise(why string) error {
	return fmt.Errorf("%s; \"monitor serve %s\" goes on with it", why, r.name)
}

// clearLocked removes the runtime if it is over. None of its known processes is alive.
func (r *Runtime) clearLocked(ctx context.Context) error {
	lock, err := r.openLock()
	if err == nil {
		limited, done := withPatience(ctx, concluding)
		err = r.awaitLock(limited, lock, func() {})
		done()
	}
	if err == nil {
		err = r.clearHolding(ctx, lock)
	} else if lock != nil {
		lock.Close()
	}
	switch {
	case errors.Is(err, ErrNotExist):
		return nil
	case errors.Is(err, ErrWatched):
		return errInUse
	}
	return err
}

// clearHolding moves the locked runtime into the trash if it is over, and leaves the deletion
// to the next monitor. A durable one becomes idle. It asks what a monitor asks, and records
// nothing.
func (r *Runtime) clearHolding(ctx context.Context, lock *os.File) error {
	w := &Watching{runtime: r, lock: lock, log: slog.New(slog.DiscardHandler), historyFailed: func(error) {}}
	t, err := tracker.New(tracker.Options{})
	if err != nil {
		return errors.Join(r.advise(err.Error()), lock.Close())
	}
	defer t.Close()
	defer w.Close()
	if err = w.open(); err == nil {
		w.tree, err = t.Follow(ctx, w.record.Owner, w.past())
	}
	switch {
	case errors.Is(err, ErrIdle):
		return nil
	case err != nil:
		return r.advise(err.Error())
	}
	if err := w.establishOver(ctx); err != nil {
		return err
	}
	if err := w.stillOurs(); err != nil {
		return err
	}
	if w.record.Durable {
		return w.makeIdle()
	}
	if _, err = r.setAside(); err != nil || w.record.neverBegan() {
		return err // a start that died leaves no line: its command never began
	}
	_ = r.store.addPast(pastOf(w.record, time.Now()))
	return nil
}

// establishOver returns nil when both witnesses agree that no process of the runtime
// lives, by the questions that a life asks.
func (w *Watching) establishOver(ctx context.Context) error {
	if w.isMember() {
		return w.runtime.advise("this process is a member of it")
	}
	limited, done := withPatience(ctx, clearing) // for the lease: the table is read in any case
	defer done()
	for look := quickLook; ; look *= 2 {
		w.checkTable(ctx)
		switch e := w.nextOutcome(); e.kind {
		case vacant:
		case alive:
			return w.runtime.inhabited(w.inhabitants())
		default:
			return w.runtime.advise(reasonUnsettled)
		}
		w.askLease(limited)
		switch e := w.nextOutcome(); e.kind {
		case free:
			return nil
		case held:
		default:
			return w.runtime.advise(reasonUnsettled)
		}
		// A start that was killed may have had a child that was about to become a
		// monitor: until its exec it holds the lease.
		if sleep(limited, look) != nil {
			return w.runtime.advise(reasonHeld)
		}
	}
}

// isMember reports whether the calling process is a member by its group, its session or its
// mark. A tracker does not count its own process.
func (w *Watching) isMember() bool {
	self, err := process.Lookup(os.Getpid())
	if err != nil {
		return true // unknown is not empty
	}
	if last := len(w.record.Marks) - 1; last >= 0 && slices.Contains(mark.Of(os.Environ()), w.record.Marks[last]) {
		return true
	}
	if w.record.ownerWaits() {
		return false // who is in its group or session was there before, or came by itself
	}
	relatives := append(w.journal.relatives(), w.record.Owner)
	return slices.ContainsFunc(relatives, func(id process.Identity) bool {
		if id.Boot != self.Boot || id.PID != self.Group && id.PID != self.Session {
			return false
		}
		// A PID has another process only after its group and its session have ended.
		now, err := process.Lookup(id.PID)
		return err != nil || now.Identity == id
	})
}

// clearStarts removes the runtimes whose start died before they had a monitor. Their
// commands were never started. It passes over those that are watched, and reads the table
// only where the owner of a start is found dead.
func (s *Store) clearStarts(ctx context.Context, watched []string) {
	names, _ := s.Names()
	var survey *Survey // read where there is a start at all
	for _, name := range names {
		if _, skip := slices.BinarySearch(watched, name); skip {
			continue
		}
		r := &Runtime{store: s, name: name}
		record, err := r.Record()
		if err != nil || record.State != StateStarting || record.Monitor != nil || mayLive(record.Owner, wordFor(record.Machine)) {
			continue
		}
		if survey == nil {
			if survey, err = s.Survey(); err != nil {
				return
			}
		}
		if !survey.alive(&record.Owner) {
			_ = r.clear(ctx) // what stays is listed, with the reason
		}
	}
}

// whyUnmonitored is the reason of a runtime without a monitor.
func (v *Survey) whyUnmonitored(s Status) string {
	if v.alive(&s.Owner) && !s.excludes(s.Owner) || len(s.Members) > 0 {
		return fmt.Sprintf("its monitor has ended; \"monitor serve %s\" goes on with it", s.Name)
	}
	if s.Durable {
		return fmt.Sprintf("none of its known processes lives; \"monitor serve %[1]s\" makes it idle, and the next run of that name goes on with it", s.Name)
	}
	return fmt.Sprintf("none of its known processes lives; \"monitor serve %[1]s\" or the next run of that name removes it", s.Name)
}
