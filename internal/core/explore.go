package core

import (
	"encoding/binary"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// What an exploration of all orders asks of a follower: copies, and the state as
// bytes. It is called between two steps of the follower.

// Clone returns a copy of the follower on a copy of its kernel, and the copies of its
// trees.
func (f *Follower) Clone(k Kernel, now func() time.Time) (*Follower, map[*Tree]*Tree) {
	c, copies := f.core.clone()
	return &Follower{Kernel: k, now: now, core: c}, copies
}

func (c *Core) clone() (*Core, map[*Tree]*Tree) {
	n := *c
	trees := make(map[*Tree]*Tree, len(c.trees))
	n.trees, n.marks = make([]*Tree, len(c.trees)), marks{}
	for i, t := range c.trees {
		copied := *t
		copied.log, copied.marks = slices.Clone(t.log), &n.marks
		n.trees[i] = &copied
		trees[t] = &copied
	}
	n.marks.touched = copiesOf(c.marks.touched, trees)
	n.marks.restless = copiesOf(c.marks.restless, trees)
	members := make(map[*member]*member, len(c.known))
	var copyOf func(m *member) *member
	copyOf = func(m *member) *member {
		if m == nil || members[m] != nil {
			return members[m]
		}
		copied := *m
		members[m] = &copied
		copied.tree, copied.via = trees[m.tree], nil
		members[m].tree = trees[m.tree]
		members[m].via = copyOf(m.via)
		return members[m]
	}
	for _, t := range n.trees {
		t.outer, t.anchor = trees[t.outer], copyOf(t.anchor)
	}
	n.strangers = make(map[int]*stranger, len(c.strangers))
	for pid, s := range c.strangers {
		copied := *s
		copied.tree = trees[s.tree]
		n.strangers[pid] = &copied
	}
	n.known = make(map[int]*member, len(c.known))
	for pid, m := range c.known {
		n.known[pid] = copyOf(m)
	}
	n.rows, n.order = maps.Clone(c.rows), nil
	n.asks = slices.Clone(c.asks)
	return &n, trees
}

// copiesOf returns the copies of some trees, without those that are closed.
func copiesOf(of []*Tree, copies map[*Tree]*Tree) (found []*Tree) {
	for _, t := range of {
		if copied := copies[t]; copied != nil {
			found = append(found, copied)
		}
	}
	return found
}

// AppendState appends all that the future of a core depends on. Times decide when, not
// what, and are left out, but for one: how many seconds ago a member died, up to the
// linkPeriod.
func (c *Core) AppendState(text []byte, now time.Time) []byte {
	s := StateWriter{text}
	pids := make([]int, 0, len(c.known))
	for pid := range c.known {
		pids = append(pids, pid)
	}
	slices.Sort(pids)
	for _, pid := range pids {
		m := c.known[pid]
		s.Row(process.Row{Process: m.Process, Lineage: m.lineage})
		s.Numbers(int(m.Link.Through.Start), m.secondsDead(now))
		s.Flags(m.watched, m.exited, m.dead, m.buried == c.reads, m.ended == c.reads, m.needed == c.reads, m.reserve, m.hidden)
		s.Flags(m.missed)
	}
	s.End()
	for _, pid := range slices.Sorted(maps.Keys(c.strangers)) {
		stranger := c.strangers[pid]
		s.Numbers(pid, int(stranger.Start))
		s.Flags(stranger.watched, stranger.ancestor)
	}
	s.End()
	for _, t := range c.trees {
		s.Numbers(t.living, min(t.clean, settledReads))
		s.Flags(t.news, t.emptied, t.Begun(), t.logging, t.logging && t.told, t.fresh, t.unsure, t.doubted)
		for _, change := range t.log {
			s.Numbers(len(change.Kind), change.Member.PID, int(change.Member.Start))
		}
	}
	for _, a := range c.asks {
		s.Numbers(int(a.verb), a.id.PID, int(a.id.Start))
	}
	s.Flags(c.watchful, c.unreadable != nil, c.lost, c.partial != nil)
	return s.Text
}

func (m *member) secondsDead(now time.Time) int {
	if m.alive() {
		return 0
	}
	return int(min(now.Sub(m.left), linkPeriod+time.Second) / time.Second)
}

// Alive yields the identities of all live members.
func (c *Core) Alive() iter.Seq[process.Identity] {
	return func(yield func(process.Identity) bool) {
		for _, m := range c.known {
			if m.alive() && !yield(m.Identity) {
				return
			}
		}
	}
}

// Knows reports whether the process with this PID is a live member.
func (c *Core) Knows(pid int) bool {
	m := c.known[pid]
	return m != nil && m.alive()
}

// CheckCounts returns an error unless each tree has as many members as it counts.
func (c *Core) CheckCounts() error {
	for _, t := range c.trees {
		living, leaving := 0, 0
		for _, m := range c.known {
			if m.alive() && m.tree.within(t) {
				living++
				leaving += m.leaving()
			}
		}
		if t.living != living || t.leaving != leaving {
			return fmt.Errorf("the tree of %v counts %d members and %d leaving; it has %d and %d", t.root, t.living, t.leaving, living, leaving)
		}
	}
	return nil
}

// HasChanges reports whether Changes has something to return.
func (c *Core) HasChanges(t *Tree) bool {
	if !t.logging {
		return t.living > 0 || t.told || t.doubted
	}
	return len(t.log) > 0
}

// FoundEmpty reports whether no member is left, and that is settled.
func (t *Tree) FoundEmpty() bool { return t.emptied && t.Settled() && t.living == 0 }

// Emptied reports whether the tree was found empty and has not been stirred since.
func (t *Tree) Emptied() bool { return t.emptied }

// A StateWriter writes down a state, for an exploration to recognise it.
type StateWriter struct{ Text []byte }

// Numbers writes numbers.
func (s *StateWriter) Numbers(numbers ...int) {
	for _, n := range numbers {
		s.Text = binary.AppendVarint(s.Text, int64(n))
	}
}

// Flags writes up to eight truths.
func (s *StateWriter) Flags(flags ...bool) {
	var bits byte
	for i, f := range flags {
		if f {
			bits |= 1 << i
		}
	}
	s.Text = append(s.Text, bits)
}

// Row writes a row.
func (s *StateWriter) Row(p process.Row) {
	s.Numbers(p.PID, int(p.Start), p.Parent, p.Group, p.Session, int(p.State), p.Tracer, int(p.Lineage.Self), int(p.Lineage.Parent))
}

// End ends a part.
func (s *StateWriter) End() { s.Text = append(s.Text, 0xff) }
