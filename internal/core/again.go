package core

import (
	"slices"
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// A recollection is what is known of a tree that begins again.
type recollection struct {
	tree  *Tree
	names map[process.Identity]bool // its members and former members
}

// recall adds to the tree a process that is known to belong to it: alive, or dead and
// still of use as a link.
func (c *Core) recall(r recollection, p process.Row, alive bool, now time.Time) {
	t := r.tree
	isRoot := p.Identity == t.root
	if m := c.known[p.PID]; m != nil && m.Identity == p.Identity {
		switch {
		case m.tree.within(t): // named twice, or in a tree inside
		case isRoot && m.alive():
			c.enclose(t, m)
		case m.tree.from != nil && (r.names[m.tree.root] || r.names[m.tree.from.root]):
			c.contain(r, m.tree.from)
		case r.names[m.tree.root]:
			c.contain(r, m.tree)
		default:
			c.claim(t, m)
		}
		if isRoot {
			t.anchor = m
		}
		return
	}
	kind := trees.LinkKnown
	if isRoot {
		kind = trees.LinkRoot
	}
	if !alive {
		p.State = process.Zombie
	}
	m := c.join(p, trees.Link{Kind: kind}, nil, t, now)
	if isRoot {
		t.anchor = m
	}
}

// watchRecalled has the members of a tree that begins again watched before its first read: what
// they make after that is announced.
func (c *Core) watchRecalled(t *Tree) {
	for _, m := range c.ownOf(t) {
		if m.alive() && !m.watched && m.State != process.Exiting {
			c.ask(askWatch, m)
		}
	}
}

// claim moves a member, and what joined through it, into a tree that it belongs to as well
// and that has begun later. Of two trees with a common member one lies inside the other: the
// later one, unless it is known to be around.
func (c *Core) claim(t *Tree, m *member) {
	around := m.tree
	if t.outer == nil && !around.within(t) {
		t.lie(around)
		around.count(t.living, t.leaving)
		c.align(t.released)
	}
	if !t.within(around) {
		return
	}
	for _, d := range c.inOrder() {
		if d.tree == around && (d == m || d.descends(m)) {
			c.moveInto(d, t)
		}
	}
	c.stir(t)
}

// gatherChildren moves members whose parents are in a tree that has begun since into that
// tree. A journal of the tree around can name a process that the one of the tree inside lacks.
func (c *Core) gatherChildren(rows []process.Row) {
	if !slices.ContainsFunc(c.trees, func(t *Tree) bool { return t.again && t.reads == 0 && t.outer != nil }) {
		return
	}
	for moved := true; moved; {
		moved = false
		for _, m := range c.inOrder() {
			i, listed := c.rows[m.PID]
			if !listed || !m.alive() || rows[i].Identity != m.Identity {
				continue
			}
			p := c.known[rows[i].Parent]
			if p != nil && p.tree.again && p.tree != m.tree && p.tree.within(m.tree) && c.mayBeParent(p, &rows[i]) && !c.encloses(m, p.tree) {
				c.claim(p.tree, m)
				moved = true
			}
		}
	}
}

// encloses reports whether a tree lies inside one of which the member is the root.
func (c *Core) encloses(m *member, t *Tree) bool {
	for ; t != nil; t = t.outer {
		if t.root == m.Identity {
			return true
		}
	}
	return false
}

// moveInto makes a tree that lies inside the tree of a member the nearest one of that.
func (c *Core) moveInto(m *member, t *Tree) {
	around := m.tree
	c.belong(m, t)
	if !m.alive() {
		return
	}
	around.count(-1, -m.leaving())
	t.count(+1, m.leaving())
	for ; t != around; t = t.outer {
		t.record(trees.Change{Kind: trees.Joined, Member: m.Member, Time: m.Joined})
	}
}

// contain makes a tree lie inside the one that begins, which names its root, with all trees
// around it of which that is true.
func (c *Core) contain(r recollection, inner *Tree) {
	for inner.outer != nil && r.names[inner.outer.root] {
		if inner = inner.outer; inner.from != nil {
			inner = inner.from
		}
	}
	t, around := r.tree, inner.outer
	if t.outer == nil && around != nil {
		t.lie(around)
		around.count(t.living, t.leaving)
		c.align(t.released)
	}
	if t.outer != around {
		return
	}
	if around != nil {
		around.count(-inner.living, -inner.leaving)
	}
	inner.lie(t)
	t.count(inner.living, inner.leaving)
	c.align(inner.released)
	c.stir(inner)
}
