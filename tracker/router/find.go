package router

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/gemini-monitor/gemini/tracker"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// patience bounds how long a look-up waits for the tracker. That may be reading the process
// table, which takes milliseconds, and where a process waits for the answer of this very
// look-up, as long as that takes.
const patience = time.Second

// tries is how often a process is looked up anew whose circumstances change meanwhile.
const tries = 8

// find finds the route of a process that is not remembered, or not any more, and remembers
// it.
func (r *Router[V]) find(pid int) (*Route[V], bool) {
	if pid <= 0 || pid == r.self {
		return nil, false
	}
	tree := unlessSlow(func() *tracker.Tree { return r.treeOf(pid) }, func() *tracker.Tree {
		known, _ := r.tracker.PlaceOf(pid).Tree()
		return known
	})
	return r.routeOf(tree)
}

// treeOf returns the tree of a process, or nil, and remembers it.
func (r *Router[V]) treeOf(pid int) *tracker.Tree {
	old := r.shelf.seats.Load(pid)
	void := r.voidBy(old)
	s := &seat{pid: pid, lead: pid}
	err := r.guards.open(&s.guard, s)
	if errors.Is(err, process.ErrGone) {
		return nil
	}
	guarded := err == nil
	found := r.settle(s, void)
	switch {
	case !guarded:
	case !found || !r.guards.alive(&s.guard):
		r.guards.close(&s.guard)
		return nil
	default:
		r.shelf.put(s, old)
	}
	return s.tree
}

// voidBy returns the place of a PID if it is known to be that of a process that has ended.
func (r *Router[V]) voidBy(old *seat) (void tracker.Place) {
	if old != nil && old.lead == old.pid && !r.guards.alive(&old.guard) && r.shelf.seats.Load(old.pid) == old {
		return old.place
	}
	return tracker.Place{}
}

// settle finds the tree for a seat. It reports false where there is no such process.
func (r *Router[V]) settle(s *seat, void tracker.Place) bool {
	reader, err := r.readers.take()
	if err != nil {
		return false
	}
	defer r.readers.give(reader)
	for try, caughtUp := 0, false; try < tries; try++ {
		s.place, s.epoch = r.tracker.PlaceOf(s.lead), r.epoch.Load()
		row, err := reader.Lookup(s.lead)
		hidden := errors.Is(err, fs.ErrPermission)
		if err != nil && !hidden {
			return false
		}
		if s.place.Known() && s.place != void && (caughtUp || !unsure(s.place)) && means(s.place, row, hidden) {
			s.tree, _ = s.place.Tree()
			s.walked = false
			if s.lead == r.self {
				s.tree = nil
			}
		} else {
			var decided bool
			s.tree, decided = r.climb(reader, row, hidden)
			s.walked = true
			if !decided && !caughtUp {
				caughtUp = true
				ctx, end := context.WithTimeout(context.Background(), patience)
				_ = r.tracker.CatchUp(ctx) // what is known after that is all there is
				end()
				continue
			}
		}
		if r.tracker.PlaceOf(s.lead) == s.place {
			return true
		}
	}
	return true // it changes all the time: what was found last
}

// unsure reports whether the process of a place may have ended before it was known. The
// tracker knows that once it has taken all notices.
func unsure(p tracker.Place) bool { return p.Identity().Start == 0 }

// means reports whether a place is that of the process with a row. Where one of them has no
// start time, nothing speaks against it.
func means(p tracker.Place, row process.Row, hidden bool) bool {
	return hidden || unsure(p) || p.Identity() == row.Identity
}
