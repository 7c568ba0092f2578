package monitor

import (
	"context"
	"errors"
	"os"
	"path/filepath"
)

// An idle runtime is run again in its place: its directory is never moved. What belongs to one
// run is made in a stage, as for a new runtime, and then moved into the directory, the record
// last, while the lock is held. A process that is killed between leaves an idle runtime and a
// stage that the next sweep deletes.

// A rerunStep is a part of that. Up to the last one the runtime stays idle.
type rerunStep struct {
	name string
	do   func() error
}

// rerunSteps returns what makes an idle runtime that of a new run, whose files are in a stage.
func (r *Runtime) rerunSteps(stage string, next Record) []rerunStep {
	move := func(file string) func() error {
		return func() error { return os.Rename(filepath.Join(stage, file), r.path(file)) }
	}
	hook := rerunStep{"on-empty command", move(hookFile)}
	if len(next.OnEmpty) == 0 {
		hook.do = func() error {
			if err := os.Remove(r.path(hookFile)); !isGone(err) {
				return err
			}
			return nil
		}
	}
	return []rerunStep{
		{"lease", move(leaseFile)}, // the owner holds the new one already
		{"journal", move(journalFile)},
		{"log", func() error {
			r.keepLog()
			return move(logFile)()
		}},
		hook,
		{"record", func() error { return next.write(r.Dir()) }},
	}
}

// keepLog keeps the log of the run before, under another name, where the file system can.
func (r *Runtime) keepLog() {
	earlier := r.path(logFile) + ".1"
	_ = os.Remove(earlier)
	_ = os.Link(r.path(logFile), earlier)
}

// rerun turns an idle runtime into the run that a stage was made for. It returns the record of
// the idle one. The error is [ErrNotIdle] where there is no idle runtime of the name.
func (r *Runtime) rerun(stage string, next Record) (*Record, error) {
	if err := checkOwned(r.Dir()); err != nil {
		return nil, ErrNotIdle // clear returns why it cannot be used
	}
	if record, err := r.Record(); err != nil || record.State != StateIdle {
		return nil, ErrNotIdle
	}
	lock, before, err := r.lockIdle()
	if err != nil {
		return nil, err
	}
	defer lock.Close() // the monitor takes it
	for _, step := range r.rerunSteps(stage, next.after(before)) {
		if err := step.do(); err != nil {
			return nil, err
		}
	}
	return &before, nil
}

// after returns the record of a run as that of the durable runtime that was idle before.
func (r Record) after(before Record) Record {
	r.Version, r.Durable, r.Made = durableVersion, true, before.Made
	r.Name = before.Name // a file system may ignore case
	return r
}

// lockIdle locks an idle runtime and returns its record. It waits for the monitor of the last
// run, which is about to end, and for others that have the lock for a moment. The monitor has
// the lock for longer than the record is idle: until that is on the disk. The error is
// [ErrNotIdle], or [ErrNotExist].
func (r *Runtime) lockIdle() (*os.File, Record, error) {
	lock, err := r.openLock()
	if err != nil {
		return nil, Record{}, err
	}
	patience := clearing
	record, unread := r.Record()
	if unread == nil && record.State == StateIdle {
		patience = concluding
	}
	limited, done := withPatience(context.Background(), patience)
	defer done()
	if err = r.awaitLock(limited, lock, func() {}); err == nil {
		record, err = r.Record()
	}
	switch {
	case err == nil && record.State == StateIdle:
		return lock, record, nil
	case err == nil || errors.Is(err, ErrWatched):
		err = r.wrap(ErrNotIdle)
	}
	lock.Close()
	return nil, Record{}, err
}

// restore makes a runtime idle again whose run did not begin. The caller has the lock.
func (r *Runtime) restore(before Record) error {
	if err := before.write(r.Dir()); err != nil {
		return r.wrap(err)
	}
	r.forgetRun()
	return nil
}
