package core

import (
	"encoding/binary"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/gemini-monitor/gemini/internal/pidtable"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// What an exploration of all orders asks of a follower: copies, and the state as
// bytes. It is called between two steps of the follower.

// Clone returns a copy of the follower on a copy of its kernel, and a function that
// returns the copy of a tree.
func (f *Follower) Clone(k Kernel, now func() time.Time) (*Follower, func(*Tree) *Tree) {
	c, copyOf := f.core.clone()
	return &Follower{Kernel: k, now: now, core: c}, copyOf
}

// clone shares the maps that are filled during a read and used in it alone.
func (c *Core) clone() (*Core, func(*Tree) *Tree) {
	n := *c
	n.order, n.asks = nil, slices.Clip(c.asks)
	n.trees, n.agenda = make([]*Tree, len(c.trees)), agenda{}
	treeOf := func(t *Tree) *Tree {
		if i := slices.Index(c.trees, t); i >= 0 {
			return n.trees[i]
		}
		return nil
	}
	for i, t := range c.trees {
		copied := *t
		copied.log, copied.agenda, copied.face = slices.Clip(t.log), &n.agenda, new(face)
		copied.own = slices.Clone(t.own)
		n.trees[i] = &copied
	}
	n.agenda.touched = copiesOf(c.agenda.touched, treeOf)
	n.agenda.restless = copiesOf(c.agenda.restless, treeOf)
	members := copies{treeOf: treeOf, made: make([]madeCopy, 0, len(c.known)+1)}
	for _, t := range n.trees {
		t.lie(treeOf(t.outer))
		t.anchor = members.of(t.anchor)
		t.from, t.released = treeOf(t.from), treeOf(t.released)
		for i, m := range t.own {
			t.own[i] = members.of(m)
		}
	}
	n.strangers = make(map[int]*stranger, len(c.strangers))
	for pid, s := range c.strangers {
		copied := *s
		copied.tree = treeOf(s.tree)
		n.strangers[pid] = &copied
	}
	n.enquiries = make(map[int]*enquiry, len(c.enquiries))
	for pid, e := range c.enquiries {
		copied := *e
		n.enquiries[pid] = &copied
	}
	n.marked = make(map[string]*Tree, len(c.marked))
	for mark, t := range c.marked {
		n.marked[mark] = treeOf(t)
	}
	n.known = make(map[int]*member, len(c.known))
	for pid, m := range c.known {
		n.known[pid] = members.of(m)
	}
	n.republish()
	return &n, treeOf
}

// republish publishes all places of a copy, in a table of its own.
func (c *Core) republish() {
	if c.moved = nil; c.places == nil {
		return
	}
	c.places = new(pidtable.Table[Place])
	for pid := range c.known {
		c.moves(pid)
	}
	for pid := range c.strangers {
		c.moves(pid)
	}
	c.publish()
}

// Copies are those of the members, few enough to be looked for one by one.
type copies struct {
	treeOf func(*Tree) *Tree
	made   []madeCopy
}

type madeCopy struct{ of, is *member }

// of returns the copy of a member, which it makes if there is none.
func (c *copies) of(m *member) *member {
	if m == nil {
		return nil
	}
	for _, made := range c.made {
		if made.of == m {
			return made.is
		}
	}
	copied := *m
	c.made = append(c.made, madeCopy{m, &copied})
	copied.tree, copied.origin = c.treeOf(m.tree), c.treeOf(m.origin)
	copied.via = c.of(m.via)
	return &copied
}

// copiesOf returns the copies of some trees, without those that are closed.
func copiesOf(of []*Tree, copyOf func(*Tree) *Tree) (found []*Tree) {
	for _, t := range of {
		if copied := copyOf(t); copied != nil {
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
	for _, m := range c.inOrder() {
		s.Row(process.Row{Process: m.Process, Lineage: m.lineage})
		s.Numbers(int(m.Link.Through.Start), m.secondsDead(now))
		s.Flags(m.watched, m.exited, m.dead, m.buried == c.reads, m.ended, m.needed == c.reads, m.reserve, m.hidden)
		s.Flags(m.missed, len(m.marks) > 0, m.loose)
		if len(c.trees) > 1 {
			s.Numbers(slices.Index(c.trees, m.tree))
		}
	}
	s.End()
	if len(c.strangers) > 0 {
		for _, pid := range slices.Sorted(maps.Keys(c.strangers)) {
			stranger := c.strangers[pid]
			s.Numbers(pid, int(stranger.Start))
			s.Flags(stranger.watched, stranger.ancestor)
			if len(c.trees) > 1 {
				s.Numbers(slices.Index(c.trees, stranger.tree))
			}
		}
	}
	s.End()
	for _, pid := range slices.Sorted(maps.Keys(c.enquiries)) {
		e := c.enquiries[pid]
		s.Numbers(pid, int(e.Start), int(e.Command[len(e.Command)-1]), e.User, len(e.marks))
		s.Flags(e.answered, e.withheld, e.since.IsZero())
	}
	s.End()
	for _, t := range c.trees {
		s.Numbers(t.living, min(t.clean, settledReads))
		if len(c.trees) > 1 {
			s.Numbers(slices.Index(c.trees, t.outer), slices.Index(c.trees, t.from))
		}
		s.Flags(t.news, t.emptied, t.Begun(), t.logging, t.logging && t.told, t.fresh, t.unsure, t.doubted)
		if !t.Begun() {
			s.Numbers(t.reads)
		}
		for _, change := range t.log {
			s.Numbers(len(change.Kind), change.Member.PID, int(change.Member.Start))
		}
	}
	for _, a := range c.asks {
		s.Numbers(int(a.verb), a.id.PID, int(a.id.Start))
	}
	s.Flags(c.watchful, c.unreadable != nil, c.lost, c.partial != nil, c.inhabited, c.vanishes)
	s.Numbers(c.vanishing)
	return s.Text
}

func (m *member) secondsDead(now time.Time) int {
	if m.alive() {
		return 0
	}
	return int(min(now.Sub(m.left), linkPeriod+time.Second) / time.Second)
}

// Alive yields the identities of the live members of a tree.
func (c *Core) Alive(t *Tree) iter.Seq[process.Identity] {
	return func(yield func(process.Identity) bool) {
		for _, m := range c.known {
			if m.alive() && m.tree.within(t) && !yield(m.Identity) {
				return
			}
		}
	}
}

// Knows reports whether the process with this PID is a live member.
func (c *Core) Knows(pid int) bool {
	m := c.known[pid]
	return m != nil && m.alive() && m.tree.counting() != nil
}

// CheckCounts returns an error unless each tree has as many members as it counts, and its list
// has what is known of it.
func (c *Core) CheckCounts() error {
	listed := 0
	for _, t := range c.trees {
		listed += len(t.own)
	}
	for _, m := range c.known {
		if t := m.tree; m.at >= len(t.own) || t.own[m.at] != m {
			return fmt.Errorf("%v is known, and its tree, that of %v, does not list it", m.Identity, t.root)
		}
	}
	if listed != len(c.known) {
		return fmt.Errorf("the trees list %d processes, and %d are known", listed, len(c.known))
	}
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

// CheckPlaces returns an error unless what is published of each PID is what the core knows:
// the process, and the tree that TreeOf returns. Living returns the process that has a PID. It
// is nil while notices may be on their way, or lost, and does not count while the core has asked
// for something. Else no PID of a watched member is another
// process's.
func (c *Core) CheckPlaces(living func(pid int) (process.Identity, bool)) error {
	published := 0
	for pid, m := range c.known {
		if is := c.placeOf(pid); is != nil {
			published++
			if now := c.places.Load(pid); now == nil || !now.same(is) || now.Tree() != c.TreeOf(pid) && !now.Stranger {
				return fmt.Errorf("%v is published as %+v, and is %+v in the tree %p", m.Identity, now, is, c.TreeOf(pid))
			}
		}
		if living == nil || len(c.asks) > 0 || !m.watched || m.dead || m.exited {
			continue
		}
		if now, there := living(pid); there && m.Start != 0 && now != m.Identity {
			return fmt.Errorf("%v is a member, and the process with its PID is %v", m.Identity, now)
		}
	}
	for pid, s := range c.strangers {
		if m := c.known[pid]; m == nil {
			published++
			if now := c.places.Load(pid); now == nil || now.Identity != s.Identity || !now.Stranger {
				return fmt.Errorf("the stranger %v is published as %+v", s.Identity, now)
			}
		}
	}
	if all := c.places.Len(); all != published {
		return fmt.Errorf("%d places are published, and there are %d", all, published)
	}
	return nil
}

// HasChanges reports whether Changes has something to return.
func (c *Core) HasChanges(t *Tree) bool {
	if !t.logging {
		return t.living > 0 || t.told || t.doubted || t.released != nil && t.released.living > 0
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
