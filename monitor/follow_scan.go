package monitor

import (
	"errors"
	"slices"
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// scan finds the runtimes that are new, and those that have lost their place.
func (f *follower) scan() {
	for name, one := range f.known {
		f.recheck(name, one)
	}
	names := []string{f.Name}
	if f.Name == "" {
		var err error
		if names, err = f.store.Names(); err != nil {
			f.log.Debug("the store cannot be read", "error", err)
		}
	}
	for _, name := range names {
		if f.known[name] == nil && !f.over {
			f.open(name)
		}
	}
}

// recheck finds out whether a runtime is in its place still.
func (f *follower) recheck(name string, one *followed) (here bool) {
	if one.check() {
		if one.next != nil || f.again {
			f.watch(one.path) // the journal may have replaced another one
		}
		return true
	}
	delete(f.known, name)
	f.leaving = append(f.leaving, one)
	if one.rerun && f.Name == "" {
		f.open(name)
		f.ring() // what it has is reported at the next look
	}
	return false
}

// durable reports whether a name is that of a durable runtime, and whether that is of the run
// of an owner.
func (f *follower) durable(name string, owner process.Identity) (durable, same bool) {
	r := &Runtime{store: f.store, name: name}
	record, err := r.Record()
	return err == nil && record.Durable, err == nil && record.Durable && record.Owner == owner
}

// open begins to follow the runtime of a name. It is watched before it is read.
func (f *follower) open(name string) {
	r, err := f.store.Runtime(name)
	if err == nil {
		f.watch(r.path(journalFile))
		var one *followed
		if one, err = openFollowed(r, f.Since); err == nil {
			f.found(one)
			return
		}
	}
	if !errors.Is(err, ErrNotExist) {
		f.log.Debug("the journal cannot be read", "runtime", name, "error", err)
	}
}

// found keeps a runtime, unless it is another one than that which is followed.
func (f *follower) found(one *followed) {
	if f.Name != "" && one.record.Owner != f.Owner {
		f.drop(one.path)
		one.close()
		return
	}
	f.known[one.name] = one
}

// remove takes that a runtime is in the history. It returns false where its journal was never
// read, and cannot be read any more.
func (f *follower) remove(p Past) bool {
	is := func(one *followed) bool { return one.name == p.Name && one.record.Owner == p.Owner }
	for name, one := range f.known {
		if is(one) {
			f.recheck(name, one) // its line comes after it has lost its place
		}
	}
	at := slices.IndexFunc(f.leaving, is)
	if at >= 0 && f.leaving[at].rerun {
		return true
	}
	if _, same := f.durable(p.Name, p.Owner); at < 0 && same {
		return true // its journal has that it is idle
	}
	if at < 0 {
		dir, err := f.trashed(p.Name, p.Owner)
		if err != nil || dir == "" {
			return false
		}
		one, err := openFollowedIn(dir, p.Name, f.Since)
		if err != nil {
			return false
		}
		at = len(f.leaving)
		f.leaving = append(f.leaving, one)
	}
	f.leaving[at].past = &p
	f.over = f.Name != ""
	return true
}

// trashed returns where a runtime is in the trash, or "". The error is a [shortage].
func (f *follower) trashed(name string, owner process.Identity) (dir string, err error) {
	all, err := f.store.discarded(name)
	for _, left := range all {
		if left.record.Owner == owner {
			return left.dir, nil
		}
	}
	return "", err
}

// inTrash reports whether a runtime may be in the trash.
func (f *follower) inTrash(name string, owner process.Identity) bool {
	dir, err := f.trashed(name, owner)
	return err != nil || dir != ""
}

// searchLeaving finds out which runtimes are gone that the history does not have. A runtime
// is in its place, in the trash or in the history, and passes them in this order. So it is
// gone if it was not in the trash, and the history does not have it afterwards.
func (f *follower) searchLeaving() {
	for _, one := range f.leaving {
		switch {
		case one.rerun || one.past != nil || f.inTrash(one.name, one.record.Owner):
		case !one.missed:
			one.missed = true
			f.ring()
		default:
			f.goneUntold(one)
		}
	}
	if f.Name == "" || f.over || len(f.known)+len(f.leaving) > 0 {
		return
	}
	if dir, _ := f.trashed(f.Name, f.Owner); dir != "" {
		if one, err := openFollowedIn(dir, f.Name, f.Since); err == nil {
			f.leaving = append(f.leaving, one)
		}
		return
	}
	if !f.missed {
		f.missed = true
		f.ring()
		return
	}
	one := &followed{name: f.Name, begun: true, record: Record{Owner: f.Owner}}
	f.leaving = append(f.leaving, one)
	f.goneUntold(one)
}

// goneUntold takes that a runtime is gone and not in the history: another program has removed
// it, or its command was not started.
func (f *follower) goneUntold(one *followed) {
	f.over = f.Name != ""
	r := one.record
	one.past = &Past{Name: one.name, Owner: r.Owner, Command: beginningOf(r.Command), Ended: later(time.Now(), one.last).UTC()}
}
