package monitor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"github.com/gemini-monitor/gemini/tracker"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// ErrWatched reports that a runtime has a monitor already.
var ErrWatched = errors.New("is watched already")

// A watch is the work of a monitor.
type watch struct {
	runtime *Runtime
	lock    *os.File
	record  Record
	log     *slog.Logger
	tree    *tracker.Tree
	journal *journal
	lease   *leaseWitness
	release *releaseWatch
}

// Watch is the monitor of a runtime, in the calling process. It calls ready,
// if that is not nil, once the owner is watched and all that descends from it
// is known. It goes on from the journal where an earlier monitor ended.
//
// Watch returns nil when the runtime has been found empty and was removed. When
// ctx ends, or something fails, it returns why and leaves everything as it is.
// The error is [ErrWatched] when the runtime has a monitor, and [ErrElsewhere]
// when that cannot be here.
func (r *Runtime) Watch(ctx context.Context, log *slog.Logger, ready func()) error {
	lock, err := r.lock()
	if err != nil {
		return err
	}
	defer lock.Close()
	w := &watch{runtime: r, lock: lock, log: log}
	if w.record, err = r.Record(); err != nil {
		return err
	}
	if err := w.record.visible(); err != nil {
		return r.wrap(fmt.Errorf("cannot be watched: %w", err))
	}
	if err := w.open(); err != nil {
		return r.wrap(fmt.Errorf("cannot be watched: %w", err))
	}
	defer w.close()
	t, err := tracker.New(tracker.Options{})
	if err != nil {
		return r.wrap(fmt.Errorf("cannot be watched: %w", err))
	}
	defer t.Close()
	if err := w.begin(ctx, t); err != nil {
		return r.wrap(fmt.Errorf("cannot be watched: %w", err))
	}
	if ready != nil {
		ready()
	}
	if err := w.follow(ctx); err != nil {
		return r.wrap(fmt.Errorf("is left as it is: %w", err))
	}
	return w.cleanUp()
}

// lock makes the calling process the monitor of the runtime until the file is
// closed. Whoever removes a runtime holds this lock.
func (r *Runtime) lock() (*os.File, error) {
	file, err := r.openLock()
	if err != nil {
		return nil, err
	}
	if err := r.take(file); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

func (r *Runtime) openLock() (*os.File, error) {
	file, err := os.OpenFile(r.path(lockFile), os.O_RDWR, 0)
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
	got, err := tryLock(file, true)
	switch {
	case err != nil:
		return r.wrap(fmt.Errorf("cannot be locked: %w", err))
	case !sameFile(file, r.path(lockFile)):
		return r.wrap(ErrNotExist) // it was removed since the file was opened
	case got:
		return nil
	}
	if record, err := r.Record(); err == nil && record.Monitor != nil {
		return r.wrap(fmt.Errorf("%w, by process %d", ErrWatched, record.Monitor.PID))
	}
	return r.wrap(ErrWatched)
}

func sameFile(file *os.File, path string) bool {
	a, errA := file.Stat()
	b, errB := os.Stat(path)
	return errA == nil && errB == nil && os.SameFile(a, b)
}

func (w *watch) open() (err error) {
	r := w.runtime
	if w.journal, err = openJournal(r.path(journalFile)); err != nil {
		return err
	}
	if w.lease, err = r.leaseWitness(); err != nil {
		return errors.Join(err, w.journal.close())
	}
	if w.release, err = watchRelease(r.path(leaseFile)); err != nil {
		return errors.Join(err, w.journal.close(), w.lease.close())
	}
	return nil
}

func (w *watch) close() {
	_ = errors.Join(w.journal.close(), w.lease.close(), w.release.close())
}

// begin follows the owner and whom an earlier monitor knew, and says in the
// record that it does.
func (w *watch) begin(ctx context.Context, t *tracker.Tracker) error {
	self, err := process.Lookup(os.Getpid())
	if err != nil {
		return err
	}
	known := w.journal.relatives()
	if w.tree, err = t.Resume(ctx, w.record.Owner, known); err != nil {
		return err
	}
	w.log.Info("watching", "owner", w.record.Owner, "known", len(known), "by", t.Capabilities().Mechanism, "forks", t.Capabilities().Forks)
	if err := w.forget(); err != nil {
		return err
	}
	w.record.Monitor, w.record.State, w.record.Reason = &self.Identity, Running, ""
	return w.write()
}

// write replaces the record, if the runtime is still the one we locked: its
// directory could have been deleted by hand, and its name given to another.
func (w *watch) write() error {
	if !w.ours() {
		return ErrNotExist
	}
	return w.record.write(w.runtime.Dir())
}

func (w *watch) ours() bool { return sameFile(w.lock, w.runtime.path(lockFile)) }

// forget records that those have left who died while nobody watched.
func (w *watch) forget() error {
	alive := make(map[process.Identity]bool)
	for _, m := range w.tree.Members() {
		alive[m.Identity] = true
	}
	var left []trees.Change
	for id, m := range w.journal.members {
		if !alive[id] {
			left = append(left, trees.Change{Kind: trees.Left, Time: time.Now(), Member: m})
		}
	}
	return w.journal.append(left)
}

// follow writes down what happens to the tree and returns nil when the runtime
// is empty by both witnesses.
func (w *watch) follow(ctx context.Context) error {
	for {
		changes, err := w.tree.Changes(ctx)
		if err != nil {
			return err
		}
		if err := w.journal.append(changes); err != nil {
			return err
		}
		for _, c := range changes {
			w.logChange(ctx, c)
			switch c.Kind {
			case trees.Unreadable:
				err = w.say(Unknown, "the process table cannot be read: "+c.Err.Error())
			case trees.Readable:
				err = w.say(Running, "")
			}
			if err != nil {
				return err
			}
		}
		if changes[len(changes)-1].Kind != trees.Emptied {
			continue
		}
		if empty, err := w.askLease(ctx); empty || err != nil {
			return err
		}
	}
}

const (
	// quickLook is how soon the lease is asked again after it was released.
	quickLook = time.Millisecond
	// slowLook is how often both witnesses are asked while they disagree and
	// nothing announces a change.
	slowLook = 5 * time.Second
)

// askLease decides about a runtime that is empty by the table. It returns true
// when the lease is free too, and false when somebody has turned up in the
// table. While the lease is held it waits: somebody lives whom the table lost.
func (w *watch) askLease(ctx context.Context) (empty bool, err error) {
	for patience := quickLook; ; patience = min(2*patience, slowLook) {
		free, err := w.lease.free()
		if free {
			return true, nil
		}
		reason := "somebody holds the lease whom the process table does not show to be of the runtime"
		if err != nil {
			reason = "the lease cannot be asked: " + err.Error()
		}
		if err := w.say(Unknown, reason); err != nil {
			return false, err
		}
		if err := w.release.wait(ctx, patience); err != nil {
			return false, err
		}
		// Never conclude from the lease alone: ask the table again first.
		if alive, err := w.askTable(ctx); alive || err != nil {
			return false, err
		}
	}
}

// askTable returns whether the table shows members after all. It goes on until
// the table can be read.
func (w *watch) askTable(ctx context.Context) (alive bool, err error) {
	for {
		verdict, err := w.tree.Check(ctx)
		switch {
		case err == nil && verdict == trees.Alive:
			return true, w.say(Running, "")
		case err == nil:
			return false, nil
		case ctx.Err() != nil || errors.Is(err, tracker.ErrClosed):
			return false, err
		}
		if err := w.say(Unknown, err.Error()); err != nil {
			return false, err
		}
		if err := w.release.wait(ctx, slowLook); err != nil {
			return false, err
		}
	}
}

// say changes the state in the record.
func (w *watch) say(state State, reason string) error {
	if w.record.State == state && w.record.Reason == reason {
		return nil
	}
	w.log.Info("state", "state", state, "reason", reason)
	w.record.State, w.record.Reason = state, reason
	return w.write()
}

func (w *watch) logChange(ctx context.Context, c trees.Change) {
	switch c.Kind {
	case trees.Joined, trees.Left:
		m := c.Member
		w.log.DebugContext(ctx, string(c.Kind), "process", m.Identity, "command", m.Command, "link", m.Link)
	case trees.Unreadable:
		w.log.WarnContext(ctx, string(c.Kind), "error", c.Err)
	default:
		w.log.InfoContext(ctx, string(c.Kind))
	}
}

// cleanUp removes the runtime. If that fails, the record says so and stays.
func (w *watch) cleanUp() error {
	if !w.ours() {
		w.log.Warn("somebody else has removed it")
		return nil
	}
	err := w.runtime.Remove()
	if err != nil {
		w.log.Error("clean up", "error", err)
		if e := w.say(Stopping, err.Error()); e != nil && !errors.Is(e, ErrNotExist) {
			return errors.Join(err, e)
		}
		return err
	}
	w.log.Info("removed")
	return nil
}
