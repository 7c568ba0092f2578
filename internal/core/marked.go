package core

import (
	"slices"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// treeOfMarks returns the tree of the innermost mark that is that of a tree which may be, or
// nil.
func (c *Core) treeOfMarks(marks []string, may func(*Tree) bool) *Tree {
	for _, mark := range slices.Backward(marks) {
		if t := c.marked[mark]; t != nil && may(t) {
			return t
		}
	}
	return nil
}

// carry gives a tree that begins its marks.
func (c *Core) carry(t *Tree, marks []string) {
	if t.carried = marks; t.mark() != "" {
		c.marked[t.mark()] = t
	}
}

// mark returns the mark of the tree, or nothing.
func (t *Tree) mark() string {
	if len(t.carried) == 0 {
		return ""
	}
	return t.carried[len(t.carried)-1]
}

// gatherAll moves the members that joined by a mark into trees that have begun since, and
// which lie further in.
func (c *Core) gatherAll() {
	if !slices.ContainsFunc(c.trees, func(t *Tree) bool { return t.reads == 0 && t.mark() != "" }) {
		return
	}
	for _, m := range c.inOrder() {
		if len(m.marks) == 0 {
			continue
		}
		row := process.Row{Process: m.Process, Lineage: m.lineage}
		t := c.treeOfMarks(m.marks, func(t *Tree) bool { return t.beginning().precedes(&row) })
		if t != nil && !m.tree.within(t) && m.tree.from != t {
			c.claim(t, m)
		}
	}
}

// A beginning is when a root was made, by both clocks.
type beginning struct {
	start process.StartTime
	self  uint64 // its lineage, or 0
}

// beginning returns when the root of a tree was made.
func (t *Tree) beginning() beginning {
	b := beginning{start: t.root.Start}
	if t.anchor != nil {
		b.self = t.anchor.lineage.Self
	}
	return b
}

// firstMarked returns the beginning of all trees with a mark.
func (c *Core) firstMarked() (first beginning) {
	found := false
	for _, t := range c.marked {
		b := t.beginning()
		if !found || b.start < first.start {
			first.start = b.start
		}
		if b.self != 0 && (first.self == 0 || b.self < first.self) {
			first.self = b.self
		}
		found = true
	}
	return first
}

// precedes reports whether a process may have been made later. XNU takes start times from
// the wall clock, which can be set back (docs/xnu.md R19); lineages only grow.
func (b beginning) precedes(p *process.Row) bool {
	return p.Start >= b.start || b.self != 0 && p.Lineage.Self > b.self
}
