package monitor

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// A Following is about the events of a store, or of one of its runtimes.
type Following struct {
	// Name and Owner, if they are set, are those of the only runtime.
	Name  string
	Owner process.Identity
	// Since is the time of the first events. Where it is zero, those that have happened are
	// left out.
	Since time.Time
	// Report is called with each event. Its error ends the following.
	Report func(Event) error
	// Rest, if it is set, is called when all events were reported that there were. Its error
	// ends the following.
	Rest func() error
	// Log receives what happens, at the debug level. It may be nil.
	Log *slog.Logger
}

// Follow reports events until ctx has ended, and returns its error. Where it follows one
// runtime, it returns nil after the event of its removal, or that it is idle.
//
// Events come from the journals and the history, in the order of their times as far as they
// are there at one look. Nothing is kept in memory: while Report blocks, nothing is read.
// What has got lost meanwhile is an [EventGap].
//
// Follow is woken by changes of these files. Where they cannot be watched, it looks at a slow
// beat.
func (s *Store) Follow(ctx context.Context, what Following) error {
	if what.Log == nil {
		what.Log = slog.New(slog.DiscardHandler)
	}
	f := &follower{
		Following: what, history: historyTail{store: s}, known: make(map[string]*followed),
		lookout: lookout{store: s, log: what.Log, wake: make(chan struct{}, 1), changed: make(map[string]bool)},
	}
	defer f.close()
	f.begin()
	for {
		for e := range merge(f.look()) {
			if err := errors.Join(ctx.Err(), f.Report(e)); err != nil {
				return err
			}
		}
		ended := f.settle()
		if f.Rest != nil {
			if err := f.Rest(); err != nil {
				return err
			}
		}
		if ended {
			return nil
		}
		if err := f.rest(ctx); err != nil {
			return err
		}
	}
}

// A follower is a Following that goes on.
type follower struct {
	Following
	history historyTail
	known   map[string]*followed // by name
	leaving []*followed          // those that have lost their place
	over    bool                 // the only runtime was removed
	missed  bool                 // the only runtime was found nowhere at the last look
	horizon bool                 // the history may not go back to Since

	lookout
}

// begin passes over what has happened, where that is left out.
func (f *follower) begin() {
	f.lookout.begin()
	if f.Name != "" || !f.Since.IsZero() {
		f.horizon = f.history.open(filepath.Join(f.store.dir, earlierHistoryFile)) == nil && f.Name == ""
	} else {
		_, _, _ = f.history.next()
	}
	if f.Since.IsZero() {
		f.scan()
		for _, one := range f.known {
			one.skip()
		}
	}
}

// look returns the sources of what is new. The history is read first: the journal of a
// runtime that it has is whole by then.
func (f *follower) look() (sources []iter.Seq[Event]) {
	changed := f.take()
	if changed.has(f.store.runtimes()) {
		f.watch(f.store.runtimes()) // it may be another directory
	}
	past, gap := f.past()
	if gap != nil {
		sources = append(sources, slices.Values([]Event{*gap}))
	}
	if changed.has(f.store.runtimes()) || len(past) > 0 {
		f.scan()
	}
	for name, one := range f.known {
		if changed.has(one.path) && f.recheck(name, one) || !one.begun || one.next != nil {
			sources = append(sources, one.events())
		}
	}
	for _, p := range past {
		if !f.remove(p) {
			durable, _ := f.durable(p.Name, p.Owner)
			sources = append(sources, unseen(p, f.Since, durable))
			f.over = f.Name != ""
		}
	}
	f.searchLeaving()
	for _, one := range f.leaving {
		sources = append(sources, one.events())
	}
	return sources
}

// past returns the runtimes that were added to the history, and the gap in it, if any.
func (f *follower) past() (past []Past, gap *Event) {
	if !f.history.is(f.store.history()) {
		f.watch(f.store.history())
	}
	past, missed, err := f.history.next()
	if err != nil {
		f.log.Debug("the history cannot be read", "error", err)
	}
	since := f.Since
	if f.horizon && len(past) > 0 {
		missed = past[0].Ended.After(since)
	}
	f.horizon = false
	if missed && f.Name == "" {
		until := time.Now()
		if len(past) > 0 {
			until = past[0].Ended
		}
		e := gapOf("", since, until, gapHistory)
		gap = &e
	}
	if f.Name != "" {
		past = slices.DeleteFunc(past, func(p Past) bool { return p.Name != f.Name || p.Owner != f.Owner })
	}
	return past, gap
}

// settle drops the runtimes whose removal was reported. It reports whether the following has
// ended with them.
func (f *follower) settle() (ended bool) {
	f.leaving = slices.DeleteFunc(f.leaving, func(one *followed) bool {
		if one.past == nil && !one.rerun {
			return false
		}
		f.over = f.over || one.rerun && f.Name != ""
		if f.known[one.name] == nil {
			f.drop(one.path)
		}
		one.close()
		return true
	})
	if one := f.known[f.Name]; one != nil && one.idle {
		return true
	}
	return f.over && len(f.leaving) == 0
}

// close ends what begin has begun.
func (f *follower) close() {
	f.lookout.close()
	f.history.tail.close()
	for _, one := range slices.AppendSeq(f.leaving, maps.Values(f.known)) {
		one.close()
	}
}
