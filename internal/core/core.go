package core

import (
	"errors"
	"slices"
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// A Core decides who belongs to which tree and what to look at next. It is
// plain data that is told what happened; it makes no system call, knows no
// clock and starts no goroutine.
//
// It takes three kinds of news: notices about watched members, whole reads of
// the table, and the outcome of what it asked for. Between them it says when
// the next read is due.
type Core struct {
	self  int // our own PID: never a member
	forks process.Forks
	known map[int]*member
	trees []*Tree

	reads      int                // begun so far
	unreadable error              // why the last read gave nothing
	failed     int                // the number of the last read that gave nothing
	rows       map[int]int        // of the read being applied: index by PID
	byLineage  map[uint64]*member // during a read
	asks       []ask              // what the driver is to do after a read
	budget     budget             // how often reading is worth its cost
	lastRead   time.Time          // when the last read ended
	beat       time.Duration      // between reads that nothing announced
	looking    bool               // somebody must be looked at on the beat
	crowd      int                // how many may be known before the dead are dropped
}

// settledReads is how many clean reads in a row settle the trees. One is not
// enough: rows are filled after the list of PIDs is taken, so one read can miss
// a child whose parent died between the two (xnu-facts R3, R10, R20).
const settledReads = 2

// UrgentReads is how many reads a tree that waits to be found empty may have at
// once. That is enough, unless notices keep being lost: then more cost too much,
// except right after one that brought nothing new.
const UrgentReads = 2 * settledReads

const (
	firstBeat = 4 * time.Millisecond
	// slowBeat is for members that cannot announce their end: exiting ones,
	// traced ones, and those that no watch could be had for.
	SlowBeat = time.Second
	// forkBeat is for everybody where forks are not noticed.
	forkBeat = 250 * time.Millisecond
)

func newCore(self int, forks process.Forks) *Core {
	return &Core{self: self, forks: forks, known: make(map[int]*member), rows: make(map[int]int), byLineage: make(map[uint64]*member)}
}

// An ask is something the core wants done to one member after a read.
type ask struct {
	verb verb
	id   process.Identity
}

type verb uint8

const (
	askWatch   verb = iota // begin to watch it, then say whose PID that is
	askUnwatch             // stop watching the PID
	askProbe               // look whether it is still there
)

// track begins a tree at a process that was found alive and is being watched.
func (c *Core) track(p process.Row, now time.Time) *Tree {
	t := c.begin(p.Identity)
	if m := c.known[p.PID]; m != nil && m.Identity == p.Identity && m.alive() {
		c.begins(t, m)
	} else {
		m = c.join(p, trees.Link{Kind: trees.LinkRoot}, nil, t, now)
		m.watched, t.anchor = true, m
	}
	c.stir(t) // and what is around it
	return t
}

// begins makes a member of one tree the root of another one inside: it and all
// that joined through it are nearer to the new one.
func (c *Core) begins(t *Tree, m *member) {
	t.anchor, t.outer = m, m.tree
	for _, d := range c.known {
		if d.tree == t.outer && d.descends(m) {
			d.tree = t
			if d.alive() {
				t.living++
				t.leaving += d.leaving()
			}
		}
	}
	for _, inner := range c.trees {
		if inner != t && inner.outer == t.outer && inner.anchor != m && inner.anchor.descends(m) {
			inner.outer = t
			t.living += inner.living
			t.leaving += inner.leaving
		}
	}
}

// begin makes a tree that has no members yet.
func (c *Core) begin(root process.Identity) *Tree {
	c.freshen()
	t := &Tree{root: root}
	c.trees = append(c.trees, t)
	c.stir(t)
	return t
}

// resume adds to the tree somebody who is known to belong to it: alive, or
// dead and still of use as a link.
func (c *Core) resume(t *Tree, p process.Row, alive bool, now time.Time) {
	isRoot := p.Identity == t.root
	m := c.known[p.PID]
	switch {
	case m == nil || m.Identity != p.Identity:
	case isRoot && m.alive() && m.tree != t:
		c.begins(t, m)
		return
	default:
		return // said twice, or another tree has it
	}
	kind := trees.LinkKnown
	if isRoot {
		kind = trees.LinkRoot
	}
	if !alive {
		p.State = process.Zombie
	}
	m = c.join(p, trees.Link{Kind: kind}, nil, t, now)
	if isRoot {
		t.anchor = m
	}
}

// Drop ends following a tree. What lies inside it goes on in the tree around.
func (c *Core) Drop(t *Tree) {
	t.closed = true
	c.trees = slices.DeleteFunc(c.trees, func(other *Tree) bool { return other == t })
	for _, inner := range c.trees {
		if inner.outer == t {
			inner.outer = t.outer
		}
	}
	for pid, m := range c.known {
		if m.tree != t {
			continue
		}
		if m.tree = t.outer; m.tree == nil {
			delete(c.known, pid)
			if m.watched { // or the PID may be somebody else's, who is watched
				c.ask(askUnwatch, m)
			}
		}
	}
}

// stir makes a tree unsettled. A storm in one tree does not unsettle another:
// only members' own children and orphans can join a tree.
func (c *Core) stir(t *Tree) {
	t.stir()
	c.beat = firstBeat
}

// conclude is told that all notices there are have been taken.
func (c *Core) conclude(now time.Time) {
	for _, t := range c.trees {
		if t.Settled() && t.living == 0 && !t.emptied {
			t.emptied, t.urgent = true, 0
			if !t.told {
				t.told = true
				t.tell(trees.Change{Kind: trees.Emptied, Time: now})
			}
		}
	}
}

// due says when the next read is to begin, if any is.
func (c *Core) due() (at time.Time, ok bool) {
	if len(c.trees) == 0 {
		return time.Time{}, false
	}
	if c.unreadable != nil {
		return c.lastRead.Add(c.beat), true
	}
	for _, t := range c.trees {
		if t.Settled() {
			continue
		}
		if t.reads == 0 || t.vacant() && (t.urgent < UrgentReads || t.clean > 0) {
			return c.lastRead, true // somebody waits for that: it is worth the price
		}
		at, ok = c.budget.ready(), true
	}
	if !ok && c.looking {
		return c.lastRead.Add(c.beat), true
	}
	return at, ok
}

// reading is told that every notice has been taken and a read begins.
func (c *Core) reading() {
	if c.unreadable != nil || c.settled() {
		c.beat = min(2*c.beat, c.longestBeat())
	}
	c.reads++
	for _, t := range c.trees {
		t.news = false
	}
}

func (c *Core) settled() bool {
	return !slices.ContainsFunc(c.trees, func(t *Tree) bool { return !t.Settled() })
}

func (c *Core) longestBeat() time.Duration {
	if c.forks == process.ForksUnseen {
		return forkBeat
	}
	return SlowBeat
}

// fail is told that a read gave no table.
func (c *Core) fail(err error, now time.Time) {
	for _, t := range c.trees {
		t.clean = 0
		if c.unreadable == nil {
			t.tell(trees.Change{Kind: trees.Unreadable, Err: err, Time: now})
		}
	}
	c.unreadable, c.failed, c.lastRead = err, c.reads, now
}

// finish is told that all asks of a read have been answered, when that was and
// how long the read took.
func (c *Core) finish(now time.Time, took time.Duration) {
	readable := c.unreadable != nil
	c.unreadable, c.lastRead = nil, now
	c.budget.charge(took, now)
	for _, t := range c.trees {
		t.reads++
		if readable {
			t.tell(trees.Change{Kind: trees.Readable, Time: now})
		}
		if !t.news {
			t.clean++
		}
		if t.urgent++; !t.vacant() {
			t.urgent = 0
		}
	}
	c.forget()
	c.conclude(now)
}

// watched takes the outcome of askWatch: who has the PID now that it is
// watched, or why it is not.
func (c *Core) watched(id process.Identity, now process.Row, err error, at time.Time) {
	m := c.known[id.PID]
	if m == nil || m.Identity != id || m.dead {
		return
	}
	switch {
	case err == nil && now.Identity == id:
		m.watched = true
		c.stir(m.tree) // look what it did before
	case err == nil:
		// The PID went to somebody else between the read and the watch.
		c.bury(m, at)
		delete(c.known, id.PID)
		c.ask(askUnwatch, m)
		c.stir(m.tree)
	case errors.Is(err, process.ErrGone):
		// Dead, or exiting and perhaps still in a fork: its row says which.
		c.stir(m.tree)
	}
	// Any other error: the read on the beat tries again.
}

// probed takes the outcome of askProbe.
func (c *Core) probed(id process.Identity, now process.Row, err error, at time.Time) {
	m := c.known[id.PID]
	if m == nil || m.Identity != id {
		return
	}
	if errors.Is(err, process.ErrGone) || err == nil && (now.Identity != id || now.State == process.Zombie) {
		c.bury(m, at)
		c.stir(m.tree)
	}
}

// FailedSince returns why reads fail, if one that began after a given number of
// them did.
func (c *Core) FailedSince(reads int) error {
	if c.failed > reads {
		return c.unreadable
	}
	return nil
}

// Verdict says what is established about a tree, and why if that is nothing.
func (c *Core) Verdict(t *Tree) (trees.Verdict, error) {
	switch {
	case t.closed:
		return trees.Unknown, nil
	case c.unreadable != nil:
		return trees.Unknown, c.unreadable
	case t.living > 0:
		return trees.Alive, nil
	case t.emptied && t.Settled():
		return trees.Empty, nil
	}
	return trees.Unknown, nil
}
