package core

import (
	"slices"
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// plant begins a tree at a process that was found alive and is being watched.
func (c *Core) plant(p process.Row, marks []string, now time.Time) *Tree {
	t := c.newTree(p.Identity, now)
	c.carry(t, marks)
	if m := c.known[p.PID]; m != nil && m.Identity == p.Identity && m.alive() {
		c.enclose(t, m)
	} else {
		m = c.join(p, trees.Link{Kind: trees.LinkRoot}, nil, t, now)
		m.watched, t.anchor = true, m
	}
	c.stir(t) // and what is around it
	return t
}

// enclose makes a member of one tree the root of a new tree inside it. The member and
// all that joined through it move to the new tree. The root of a fresh one moves alone.
func (c *Core) enclose(t *Tree, m *member) {
	t.anchor = m
	t.lie(m.tree)
	for _, d := range c.ownOf(t.outer) {
		if d == m || !t.fresh && d.descends(m) {
			c.belong(d, t)
			if d.alive() {
				t.living++
				t.leaving += d.leaving()
			}
		}
	}
	for _, inner := range c.trees {
		if !t.fresh && inner != t && inner.from == nil && inner.outer == t.outer && inner.anchor != m && inner.anchor.descends(m) {
			inner.lie(t)
			t.living += inner.living
			t.leaving += inner.leaving
			c.align(inner.released)
		}
	}
}

// newTree makes a tree that has no members yet.
func (c *Core) newTree(root process.Identity, now time.Time) *Tree {
	c.freshen(now)
	t := &Tree{root: root, agenda: &c.agenda, face: new(face)}
	c.trees = append(c.trees, t)
	c.stir(t)
	return t
}

// mayStandAlone reports whether a tree can begin at a fresh root without a read, if that
// would find nothing. The core then learns of the root by notices alone, and of no other
// process that the tree changes: a member or stranger of another tree. A table that cannot
// be read is reported to the caller.
func (c *Core) mayStandAlone(root process.Identity) bool {
	return c.forks == process.ForksNamed && c.known[root.PID] == nil && len(c.strangers) == 0 &&
		c.unreadable == nil && root.PID != c.self
}

// beginAlone begins a tree whose root is watched and stands alone. That settles it: reads
// would show the root, and what the root makes from now on is announced.
func (c *Core) beginAlone(t *Tree) {
	t.begun, t.clean = true, settledReads
	t.anchor.watched = true
}

// Drop ends following a tree. What lies inside it goes on in the tree around.
func (c *Core) Drop(t *Tree) {
	if t.released != nil {
		c.Drop(t.released)
	}
	t.closed = true
	t.touch()
	delete(c.marked, t.mark())
	c.agenda.calm()
	c.trees = slices.DeleteFunc(c.trees, func(other *Tree) bool { return other == t })
	c.forgetStrangers(t)
	for _, inner := range c.trees {
		if inner.outer == t {
			inner.lie(t.outer)
		}
	}
	for _, m := range c.ownOf(t) {
		if c.belong(m, t.outer); m.tree == nil {
			c.forgetMember(m.PID)
			if m.watched { // otherwise the PID may be that of another watched process
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
