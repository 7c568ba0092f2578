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
	l := lookup[V]{Router: r, seat: &seat{pid: pid, lead: pid}, dead: r.deadOf(old)}
	err := r.guards.open(&l.guard, l.seat)
	if errors.Is(err, process.ErrGone) {
		return nil
	}
	guarded := err == nil
	found := l.settle()
	switch {
	case guarded && found && r.guards.alive(&l.guard):
		r.shelf.put(l.seat, old)
	case guarded:
		r.guards.close(&l.guard)
		return nil
	case !found:
		return nil
	}
	return l.tree
}

// deadOf returns a seat whose process is known to have ended, or nil.
func (r *Router[V]) deadOf(old *seat) *seat {
	if old != nil && old.lead == old.pid && !r.guards.alive(&old.guard) && r.shelf.seats.Load(old.pid) == old {
		return old
	}
	return nil
}

// A lookup finds the tree for a seat whose guard is open.
type lookup[V any] struct {
	*Router[V]
	*seat
	dead     *seat // of an earlier process with the PID, or nil
	caughtUp bool  // the tracker has taken all notices since the guard was opened
}

// settle finds the tree. It reports false where there is no such process.
func (l *lookup[V]) settle() bool {
	reader, err := l.readers.take()
	if err != nil {
		return false
	}
	defer l.readers.give(reader)
	for range tries {
		l.place, l.seat.epoch = l.tracker.PlaceOf(l.lead), l.Router.epoch.Load()
		row, err := reader.Lookup(l.lead)
		hidden := errors.Is(err, fs.ErrPermission)
		if err != nil && !hidden {
			return false
		}
		l.start = row.Start
		switch decided := l.decide(reader, row, hidden); {
		case !decided && !l.caughtUp:
			l.catchUp()
		case l.tracker.PlaceOf(l.lead) == l.place:
			return true
		}
	}
	return true // the tracker learns of it all the time: what was found last
}

// decide finds the tree of a process by what the tracker knows of it, or of its ancestors.
func (l *lookup[V]) decide(reader *process.Reader, row process.Row, hidden bool) (decided bool) {
	if l.tree, l.walked = nil, false; l.lead == l.self {
		return true
	}
	if l.trusts(row, hidden) {
		l.tree, _ = l.place.Tree()
		return true
	}
	l.walked = true
	l.tree, decided = l.climb(reader, row, hidden)
	return decided
}

// trusts reports whether the place of the PID is that of the process with a row. The start
// time may be the same by chance: on Linux its unit is 10 ms. Where the parent is the same
// too, or the tracker has caught up, it is the same process.
func (l *lookup[V]) trusts(row process.Row, hidden bool) bool {
	id := l.place.Identity()
	switch {
	case !l.place.Known(), l.dead != nil && l.place == l.dead.place:
		return false
	case hidden, id.Start == 0: // nothing to compare
		return l.caughtUp
	case id != row.Identity:
		return false
	}
	parent := l.place.Parent()
	return l.caughtUp || (parent == row.Parent || parent == 0) && (l.dead == nil || l.dead.start != row.Start)
}

// catchUp waits until the tracker has taken all notices that there are. What it knows then is
// all there is.
func (l *lookup[V]) catchUp() {
	ctx, end := context.WithTimeout(context.Background(), patience)
	defer end()
	_ = l.tracker.CatchUp(ctx)
	l.caughtUp = true
}
