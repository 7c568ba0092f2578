package router

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"sync/atomic"
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

// A Finder finds the tree of a calling process, for a program that has its own table of what it
// keeps for trees. Others use a [Router], which has one. Its methods may be called from any
// goroutine.
type Finder struct {
	tracker *tracker.Tracker
	self    int
	shelf   shelf
	guards  *guards
	readers readers
	// epoch counts the changes of trees and members that a caller has asked for.
	epoch atomic.Uint64
}

// NewFinder returns a finder for the trees of a tracker. Close it after use, before the tracker.
// Guards is as in [Options].
func NewFinder(t *tracker.Tracker, guards int) (*Finder, error) {
	g, err := newGuards()
	if err != nil {
		return nil, err
	}
	f := &Finder{tracker: t, self: os.Getpid(), guards: g}
	f.shelf.guards, f.shelf.most = g, guards
	if f.shelf.most <= 0 {
		f.shelf.most = mostGuards()
	}
	reader, err := f.readers.take()
	if err != nil {
		return nil, errors.Join(err, g.end())
	}
	f.readers.give(reader)
	return f, nil
}

// TreeOf returns the nearest tree that the process with a PID belongs to, as [Router.Of] finds
// that of a route.
func (f *Finder) TreeOf(pid int) (tree *tracker.Tree, ok bool) {
	if s := f.shelf.seats.Load(pid); s != nil && f.holds(s) {
		s.use()
		return s.tree, s.tree != nil
	}
	tree = f.find(pid)
	return tree, tree != nil
}

// Changed makes the finder forget what it has found by the ancestors of processes. It is called
// after a tree was begun, and after a process has joined or left one because a caller asked for that.
func (f *Finder) Changed() { f.epoch.Add(1) }

// Close ends the finder.
func (f *Finder) Close() error {
	f.shelf.shut()
	f.readers.close()
	return f.guards.end()
}

// find finds the tree of a process that is not remembered, or not any more, and remembers
// it. It returns nil for a process of no tree.
func (f *Finder) find(pid int) *tracker.Tree {
	if pid <= 0 || pid == f.self {
		return nil
	}
	return unlessSlow(func() *tracker.Tree { return f.treeOf(pid) }, func() *tracker.Tree {
		known, _ := f.tracker.PlaceOf(pid).Tree()
		return known
	})
}

// treeOf returns the tree of a process, or nil, and remembers it.
func (f *Finder) treeOf(pid int) *tracker.Tree {
	old := f.shelf.seats.Load(pid)
	l := lookup{Finder: f, seat: &seat{pid: pid, lead: pid}, dead: f.deadOf(old)}
	err := f.guards.open(&l.guard, l.seat)
	if errors.Is(err, process.ErrGone) {
		return nil
	}
	guarded := err == nil
	found := l.settle()
	switch {
	case guarded && found && f.guards.alive(&l.guard):
		f.shelf.put(l.seat, old)
	case guarded:
		f.guards.close(&l.guard)
		return nil
	case !found:
		return nil
	}
	return l.tree
}

// deadOf returns a seat whose process is known to have ended, or nil.
func (f *Finder) deadOf(old *seat) *seat {
	if old != nil && old.lead == old.pid && !f.guards.alive(&old.guard) && f.shelf.seats.Load(old.pid) == old {
		return old
	}
	return nil
}

// A lookup finds the tree for a seat whose guard is open.
type lookup struct {
	*Finder
	*seat
	dead     *seat // of an earlier process with the PID, or nil
	caughtUp bool  // the tracker has taken all notices since the guard was opened
}

// settle finds the tree. It reports false where there is no such process.
func (l *lookup) settle() bool {
	reader, err := l.readers.take()
	if err != nil {
		return false
	}
	defer l.readers.give(reader)
	for range tries {
		l.place, l.seat.epoch = l.tracker.PlaceOf(l.lead), l.Finder.epoch.Load()
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
func (l *lookup) decide(reader *process.Reader, row process.Row, hidden bool) (decided bool) {
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
func (l *lookup) trusts(row process.Row, hidden bool) bool {
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
func (l *lookup) catchUp() {
	ctx, end := context.WithTimeout(context.Background(), patience)
	defer end()
	_ = l.tracker.CatchUp(ctx)
	l.caughtUp = true
}
