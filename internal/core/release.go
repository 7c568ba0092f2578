package core

import (
	"errors"
	"slices"
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// A process of a tree can be released: then it and all that is known to descend from it do
// not count for the tree any more. They are followed on, in a tree of their own that lies
// beside the tree, so that what they make later joins them by the same links, but for two:
//
//   - A process group of a released process links an orphan to the tree that this was
//     released from. Processes that do not descend from its creator can be in it: a shell puts
//     those of a pipeline into one. Only descendants of its creator are in a session.
//   - A mark is evidence for the tree alone.
//
// So a process that is not known to descend from a released one counts.

var (
	// ErrNoMember reports a process that is no live member of a tree.
	ErrNoMember = errors.New("is no member")
	// ErrInside reports a member of a tree that lies inside the one that was named.
	ErrInside = errors.New("is a member of a tree inside of that one")
)

// kindReleased is what a change of a released process is to the tree that it was released
// from.
var kindReleased = map[trees.ChangeKind]trees.ChangeKind{trees.Joined: trees.Released, trees.Left: trees.Ended}

// isReleased reports whether a process was released from the nearest tree that it was in.
func isReleased(m *member) bool { return m != nil && m.tree.from != nil }

// counting returns the nearest tree for which the processes of a tree count, or nil.
func (t *Tree) counting() *Tree {
	for t != nil && t.from != nil {
		t = t.outer
	}
	return t
}

// linked returns the tree to which a link leads.
func linked(kind trees.LinkKind, m *member) *Tree {
	if kind == trees.LinkGroup && isReleased(m) {
		return m.originNow()
	}
	return m.tree
}

// originNow returns the nearest tree, of those that are followed, that a released process
// was in.
func (m *member) originNow() *Tree {
	t := m.origin
	for t != nil && t.closed {
		t = t.outer
	}
	if t == nil {
		return m.tree.from
	}
	return t
}

// inherit sets what a process has of the one through which it joins.
func (m *member) inherit() {
	m.loose = !m.Link.Kind.Proves()
	if m.tree.from != nil {
		if m.origin = m.tree.from; m.via != nil && m.via.origin != nil {
			m.origin = m.via.origin
		}
	}
}

// Release has a live member of a tree count for it no more, nor what descends from it. The
// caller names the member first, and then those of which it knows besides that they descend
// from it. It reports whether that is new: a process may be released twice.
func (c *Core) Release(t *Tree, ids []process.Identity, now time.Time) (isNew bool, err error) {
	m := c.known[ids[0].PID]
	switch {
	case t.closed, m == nil, m.Identity != ids[0], !m.alive():
		return false, ErrNoMember
	case t.released != nil && m.tree.within(t.released):
		return false, nil
	case !m.tree.within(t):
		return false, ErrNoMember
	case m.tree.counting() != t:
		return false, ErrInside
	}
	if ids[0] == t.root {
		ids = nil // all descend from it
		for _, m := range c.inOrder() {
			if m.tree.counting() == t {
				ids = append(ids, m.Identity)
			}
		}
	}
	c.discharge(t, m, c.descendants(t, ids), now)
	return true, nil
}

// descendants returns the processes of a tree, dead ones too, that have some identities or
// are known to descend from those, without those of trees inside.
func (c *Core) descendants(t *Tree, ids []process.Identity) map[*member]bool {
	found := make(map[*member]bool)
	own := slices.DeleteFunc(slices.Clone(c.inOrder()), func(m *member) bool { return m.tree.counting() != t })
	for _, m := range own {
		if slices.Contains(ids, m.Identity) {
			found[m] = true
		}
	}
	for again := true; again; {
		again = false
		for _, m := range own {
			if !found[m] && c.comesFrom(m, found) {
				found[m], again = true, true
			}
		}
	}
	return found
}

// comesFrom reports whether a process is known to descend from one of some: it joined so, or
// the last read shows one as its parent, or as the creator of its session. A later process with
// the PID of a parent is younger than the child.
func (c *Core) comesFrom(m *member, some map[*member]bool) bool {
	if !m.loose && m.via != nil && some[m.via] {
		return true
	}
	if s := c.known[m.Session]; s != nil && some[s] && m.Session != m.PID && s.Start <= m.Start && !m.hidden {
		return true
	}
	p := c.known[m.Parent]
	return p != nil && some[p] && m.alive() && p.alive() && !p.exited && p.Start <= m.Start
}

// discharge moves processes of a tree into that of its released ones, with the trees inside
// whose roots descend from them.
func (c *Core) discharge(t *Tree, first *member, some map[*member]bool, now time.Time) {
	s := c.releasedOf(t, first.Identity)
	if s.anchor == nil {
		s.anchor = first
	}
	for _, inner := range c.trees {
		if inner.from == nil && inner != t && inner.outer.counting() == t && inner.anchor != nil && c.comesFrom(inner.anchor, some) {
			c.moveOut(t, inner, now)
		}
	}
	for _, m := range c.inOrder() {
		if !some[m] {
			continue
		}
		old := m.tree
		if old.from == nil {
			m.origin = old
		}
		if c.belong(m, s); !m.alive() {
			continue
		}
		s.count(+1, m.leaving()) // before it leaves, so that no tree around seems empty
		old.count(-1, -m.leaving())
		t.record(trees.Change{Kind: trees.Released, Member: m.Member, Time: now})
	}
	c.stir(t)
	c.stir(s)
}

// moveOut moves a tree inside of another into that of the released processes of that.
func (c *Core) moveOut(t, inner *Tree, now time.Time) {
	old := inner.outer
	inner.lie(t.released)
	inner.outer.count(inner.living, inner.leaving)
	old.count(-inner.living, -inner.leaving)
	for _, m := range c.inOrder() {
		if m.alive() && m.tree.within(inner) {
			t.record(trees.Change{Kind: trees.Released, Member: m.Member, Time: now})
		}
	}
	c.align(inner.released)
}

// releasedOf returns the tree of the processes that were released from a tree. The first of
// these begins it.
func (c *Core) releasedOf(t *Tree, first process.Identity) *Tree {
	if t.released == nil {
		t.released = &Tree{root: first, from: t, begun: true, agenda: &c.agenda, face: new(face)}
		t.released.lie(t.outer)
		c.trees = append(c.trees, t.released)
	}
	return t.released
}

// align has the released processes of a tree, if there are any, lie where the tree lies.
func (c *Core) align(s *Tree) {
	if s == nil || s.outer == s.from.outer {
		return
	}
	old, outer := s.outer, s.from.outer
	s.lie(outer)
	outer.count(s.living, s.leaving)
	old.count(-s.living, -s.leaving)
	for _, m := range c.inOrder() {
		if !m.alive() || !m.tree.within(s) {
			continue
		}
		for t := outer; t != nil && !old.within(t); t = t.outer {
			t.record(trees.Change{Kind: trees.Joined, Member: m.Member, Time: m.Joined})
		}
	}
}

// recallReleased makes a process known that was released from a tree before: alive, or dead
// and still of use as a link. A member of a tree further out stays what it is.
func (c *Core) recallReleased(t *Tree, p process.Row, alive bool, now time.Time) {
	m := c.known[p.PID]
	if m != nil && m.Identity == p.Identity {
		if m.tree.counting() == t {
			c.discharge(t, m, map[*member]bool{m: true}, now)
		}
		return
	}
	if !alive {
		p.State = process.Zombie
	}
	s := c.releasedOf(t, p.Identity)
	m = c.join(p, trees.Link{Kind: trees.LinkKnown}, nil, s, now)
	if s.anchor == nil && s.root == m.Identity {
		s.anchor = m
	}
}

// named returns the processes that a history names, each once.
func named(h trees.History) (ids []process.Identity) {
	seen := make(map[process.Identity]bool)
	for _, id := range slices.Concat(h.Members, h.Released) {
		if !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids
}

// Released returns the live processes that were released from a tree, and what descends
// from them, oldest first.
func (c *Core) Released(t *Tree) []trees.Member {
	if t.released == nil {
		return nil
	}
	return c.Members(t.released)
}

// Excludes reports whether a process, which may be dead, was released from a tree or was made
// before its root.
func (c *Core) Excludes(t *Tree, p *process.Row) bool {
	m := c.known[p.PID]
	return m != nil && m.Identity == p.Identity && t.released != nil && m.tree.within(t.released) || !t.beginning().precedes(p)
}

// Complete returns the row of a process, with its lineage where there are lineages. One
// goroutine calls it and Step.
func (f *Follower) Complete(p process.Process) (process.Row, error) {
	row := process.Row{Process: p}
	if !f.Kernel.Lineage() {
		return row, nil
	}
	now, err := f.Kernel.Lookup(p.PID)
	if err == nil && now.Identity != p.Identity {
		err = process.ErrGone
	}
	row.Lineage = now.Lineage
	return row, err
}
