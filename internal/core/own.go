package core

import "slices"

// Each tree has a list of what is known of its own processes, so that what is done for one
// tree does not grow with the others. A process is in the list of its tree exactly while it is
// known. CheckCounts compares the two.

// list puts a process into the list of the tree.
func (t *Tree) list(m *member) {
	m.tree, m.at = t, len(t.own)
	t.own = append(t.own, m)
}

// unlist takes a process out of the list of the tree. The last one gets its place.
func (t *Tree) unlist(m *member) {
	last := len(t.own) - 1
	t.own[m.at] = t.own[last]
	t.own[m.at].at = m.at
	t.own[last] = nil
	t.own = t.own[:last]
}

// all yields what is known, in no order, by the lists: each first and last process of a tree
// has the core go through it, and a map takes longer.
func (c *Core) all(yield func(*member) bool) {
	for _, t := range c.trees {
		for _, m := range t.own {
			if !yield(m) {
				return
			}
		}
	}
}

// ownOf returns what is known of the members of a tree that belong to no inner one, in the
// order of inOrder.
func (c *Core) ownOf(t *Tree) []*member {
	return slices.SortedFunc(slices.Values(t.own), byPID)
}

// belong puts a process that is known into another tree, or into none.
func (c *Core) belong(m *member, t *Tree) {
	m.tree.unlist(m)
	if m.tree = t; t != nil {
		t.list(m)
	}
	c.moves(m.PID)
}

// know makes a process known as part of a tree. The one that had its PID is not known any more.
func (c *Core) know(m *member, t *Tree) {
	c.forgetMember(m.PID)
	t.list(m)
	c.known[m.PID] = m
}

// forgetMember makes a process unknown, if it is known.
func (c *Core) forgetMember(pid int) {
	m := c.known[pid]
	if m == nil {
		return
	}
	if m.tree != nil {
		m.tree.unlist(m)
	}
	delete(c.known, pid)
	c.moves(pid)
}
