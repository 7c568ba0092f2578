package monitor

import (
	"encoding/json"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"time"
)

// A followed is a runtime whose journal is read as it is written. The journal stays open
// while it is, wherever the runtime is moved: what was written before a removal is read
// after it.
type followed struct {
	name   string
	path   string // of the journal
	record Record // the zero Record where it cannot be read
	since  time.Time
	begun  bool // its beginning was reported

	tail
	at    place
	last  time.Time // of the last event
	fresh bool      // no line of the file was read yet
	cut   time.Time // lines up to then repeat what was read before; zero for none

	idle   bool     // the run of the durable runtime has ended
	rerun  bool     // it is of another run now
	next   *os.File // the journal that has replaced the open one
	past   *Past    // once it was removed
	missed bool     // it was found nowhere at the last look
}

// neverReported is a time that no event has.
var neverReported = time.Unix(1<<40, 0)

// openFollowed opens the journal of a runtime. Events before since are not reported.
func openFollowed(r *Runtime, since time.Time) (*followed, error) {
	return openFollowedIn(r.Dir(), r.name, since)
}

func openFollowedIn(dir, name string, since time.Time) (*followed, error) {
	f := &followed{name: name, path: filepath.Join(dir, journalFile), since: since, fresh: true}
	var err error
	if f.file, err = openRegular(f.path, os.O_RDONLY); err != nil {
		return nil, err
	}
	if record, err := readRecord(dir); err == nil {
		f.record, f.last = record, record.Created
	}
	return f, nil
}

// check finds out whether the runtime still has its place. Where its journal was replaced,
// check opens the new one.
func (f *followed) check() (here bool) {
	same := f.tail.is(f.path)
	if same && !f.record.Durable {
		return true
	}
	record, err := readRecord(filepath.Dir(f.path))
	switch {
	case err != nil:
		return same
	case record.Owner != f.record.Owner:
		f.rerun = record.Durable && f.record.Durable
		return false
	}
	if !same && f.next == nil {
		f.next, _ = openRegular(f.path, os.O_RDONLY) // where it fails, the next look tries again
	}
	return true
}

// skip passes over all that the journal has now.
func (f *followed) skip() {
	since := f.since
	f.since = neverReported
	for range f.events() {
	}
	f.since = since
}

// events yields what is new: the rest of the journal, then that of the journal which has
// replaced it, then the removal.
func (f *followed) events() iter.Seq[Event] {
	return func(yield func(Event) bool) {
		report := func(e Event) bool {
			if e.Time.After(f.last) {
				f.last = e.Time
			}
			return e.Time.Before(f.since) || yield(e)
		}
		if f.rerun && f.tail.is(f.path) {
			return // it is the journal of the next run, which another one reads
		}
		if !f.begun && f.record.Version != 0 && !report(startOf(f.record)) {
			return
		}
		f.begun = true
		if !f.read(report) {
			return
		}
		if f.next != nil && !f.rerun {
			f.tail.close()
			f.tail, f.next, f.fresh = tail{file: f.next}, nil, true
			if !f.read(report) {
				return
			}
		}
		if f.past != nil {
			report(removalOf(*f.past))
		}
	}
}

// read reports what the open journal has got.
func (f *followed) read(report func(Event) bool) bool {
	if f.file == nil {
		return true
	}
	for line, err := range f.lines() {
		var e JournalEntry
		if err == nil {
			err = json.Unmarshal(line, &e)
		}
		goOn := true
		if err != nil {
			goOn = report(gapOf(f.name, f.last, later(time.Now(), f.last), fmt.Sprintf("%s: %v", gapBroken, err)))
		} else {
			goOn = f.take(e, report)
		}
		if !goOn {
			return false
		}
	}
	return true
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// take reports what a line of the journal is about.
//
// A journal that was shortened begins with the number of events before it, which shows
// whether some of them were not read. Then the members that joined since are among its next
// lines. One that an earlier version has shortened has no such number.
func (f *followed) take(e JournalEntry, report func(Event) bool) bool {
	first, before := f.fresh, f.at.count
	f.fresh = false
	isNew := f.at.pass(e)
	f.idle = f.idle || e.Event == StateChanged && e.State == StateIdle
	switch {
	case e.Event == Shortened && e.Before == before, e.Event == Shortened && e.Time.Before(f.since):
		f.cut = time.Time{}
		return true
	case e.Event == Shortened:
		f.cut = f.last
		return report(gapOf(f.name, f.last, e.Time, gapShortened))
	case first && before > 0:
		f.cut = f.last
		if !report(gapOf(f.name, f.last, later(time.Now(), f.last), gapShortened)) {
			return false
		}
	}
	repeated := !f.cut.IsZero() && !e.Time.After(f.cut)
	if !isNew && (f.cut.IsZero() || e.Event != "joined") || repeated {
		return true
	}
	return report(eventOf(f.name, e))
}

func (f *followed) close() {
	f.tail.close()
	if f.next != nil {
		f.next.Close()
	}
}

// unseen yields the events of a runtime that was removed, or of a run of a durable one that
// has ended, before its journal could be opened.
func unseen(p Past, since time.Time, durable bool) iter.Seq[Event] {
	return func(yield func(Event) bool) {
		end := removalOf(p)
		if durable {
			end = Event{Time: p.Ended, Name: p.Name, Kind: EventState, State: StateIdle}
		}
		start := startOf(Record{Name: p.Name, Owner: p.Owner, Command: p.Command, Created: p.Created})
		for _, e := range []Event{start, gapOf(p.Name, later(p.Created, since), p.Ended, gapUnseen), end} {
			if !e.Time.Before(since) && !yield(e) {
				return
			}
		}
	}
}
