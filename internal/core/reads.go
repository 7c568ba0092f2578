package core

import (
	"maps"
	"slices"
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// read applies one read of the table. It leaves in c.asks what is to be done next.
func (c *Core) read(rows []process.Row, now time.Time) {
	clear(c.rows)
	for i := range rows {
		c.rows[rows[i].PID] = i
	}
	c.watchful = false
	clear(c.byLineage)
	for _, m := range c.inOrder() {
		c.compare(m, rows, now)
		c.indexLineage(m)
	}
	c.keepStrangers(rows)
	c.beginAllFresh(rows)
	for c.admit(rows, now) {
	}
	c.spread(rows)
	for _, t := range c.trees {
		c.nest(t, rows)
	}
	c.gatherChildren(rows)
	c.enquire(rows, now)
	c.markNeeded(rows)
}

func byPID(a, b *member) int { return a.PID - b.PID }

// inOrder returns what is known in the order of PIDs, so that what a core does depends
// on its news alone. The slice is valid until the next call.
func (c *Core) inOrder() []*member {
	c.order = slices.AppendSeq(c.order[:0], maps.Values(c.known))
	slices.SortFunc(c.order, byPID)
	return c.order
}

// compare compares what is known of a process with its row.
func (c *Core) compare(m *member, rows []process.Row, now time.Time) {
	i, listed := c.rows[m.PID]
	if listed {
		c.match(m, &rows[i], now)
	}
	same := listed && rows[i].Identity == m.Identity && !c.isAnother(m, &rows[i])
	switch {
	case c.forks == process.ForksNamed && m.watched && (!same || rows[i].State == process.Zombie) && !m.ended:
		// Unless notices were lost, its exit will be announced, and its last
		// forks before that. All it did before this read is known when the next
		// one begins.
		m.ended = true
		c.stir(m.tree)
	case listed && !same:
		// The PID is another's. That also means that no group or session
		// has this id any more (docs/xnu.md G8), so it links no process.
		c.buryUnannounced(m, now)
		c.forgetMember(m.PID)
	case !listed && (m.exited || m.dead):
		c.bury(m, now)
	case !listed:
		// A row is missing and no exit was announced: perhaps a traced
		// process (docs/xnu.md X7), perhaps a table that hides it, perhaps the
		// notice was lost.
		c.ask(askProbe, m)
		c.watchful = true
	case rows[i].State == process.Zombie, rows[i].State == process.Exiting && m.exited:
		// After its exit was announced a process can no longer fork, though
		// its row may read "exiting" for a while (docs/xnu.md R7).
		m.State = process.Zombie
		c.buryUnannounced(m, now)
	default:
		c.update(m, rows[i])
	}
}

// isAnother reports whether a row with the identity of a dead member is that of a later
// process, which got its PID in the same tick of the clock: on Linux that is 10 ms long. There
// an exit is announced once the process is a zombie (docs/linux.md).
func (c *Core) isAnother(m *member, row *process.Row) bool {
	return c.forks == process.ForksNamed && m.dead && m.exited && row.State != process.Zombie
}

// buryUnannounced buries a process that a read shows to be dead. Unless its exit was
// announced before the read began, the tree is unsettled: the list of PIDs may be
// older than the last fork of the process.
func (c *Core) buryUnannounced(m *member, now time.Time) {
	if !m.exited && m.alive() {
		c.stir(m.tree)
	}
	c.bury(m, now)
}

// update takes over the row of a process that is not dead.
func (c *Core) update(m *member, row process.Row) {
	if row.PID == c.self {
		return // a member before it ran this program, which never counts
	}
	if row.Session == 0 {
		row.Session = m.Session // XNU does not show the session of an exiting process
	}
	if row.Lineage.Self == 0 {
		row.Lineage = m.lineage
	}
	m.Process, m.lineage, m.ended = row.Process, row.Lineage, false
	if m.dead || m.exited {
		// It was taken for dead wrongly: the notice was about an earlier
		// process with this PID, or a table had hidden the row.
		m.tree.count(0, -m.leaving())
		if m.dead {
			m.tree.count(+1, 0)
			m.tree.recordOutward(trees.Change{Kind: trees.Joined, Member: m.Member, Time: m.Joined})
		}
		m.dead, m.exited, m.watched, m.reserve = false, false, false, false
		c.moves(m.PID)
		c.stir(m.tree)
	}
	if !m.watched && row.State != process.Exiting {
		c.ask(askWatch, m)
	}
	if !m.watched || m.Tracer != 0 || row.Headless || c.forks == process.ForksUnseen {
		c.watchful = true
	}
}

// admit makes members of all processes that are linked to a known one. It reports
// whether there were any, because these may link others.
func (c *Core) admit(rows []process.Row, now time.Time) (any bool) {
	for i := range rows {
		row := &rows[i]
		if m := c.known[row.PID]; m != nil {
			continue
		}
		link, via, t := c.linkOf(row, rows)
		if t == nil {
			continue
		}
		m := c.join(*row, link, via, t, now)
		any = true
		if m.dead {
			continue
		}
		c.stir(m.tree)
		c.watchful = c.watchful || c.forks == process.ForksUnseen || row.State == process.Exiting
		if row.State != process.Exiting {
			c.ask(askWatch, m)
		}
	}
	return any
}

// join makes a process known as part of a tree.
func (c *Core) join(p process.Row, link trees.Link, via *member, t *Tree, now time.Time) *member {
	if old := c.known[p.PID]; old != nil {
		old.watched = false // the watch of the PID is now that of the new one
		c.bury(old, now)
	}
	m := &member{Member: trees.Member{Process: p.Process, Link: link, Joined: now}, lineage: p.Lineage, via: via, hidden: p.Hidden}
	c.know(m, t)
	m.inherit()
	m.shorten()
	delete(c.strangers, p.PID)
	c.moves(p.PID)
	c.indexLineage(m)
	if p.State == process.Zombie {
		m.dead, m.buried, m.left = true, c.reads, now
		return m
	}
	t.count(+1, 0)
	t.recordOutward(trees.Change{Kind: trees.Joined, Member: m.Member, Time: now})
	return m
}

// bury records that a process is established to be dead.
func (c *Core) bury(m *member, now time.Time) {
	if m.dead {
		return
	}
	m.tree.count(-1, -m.leaving())
	m.dead, m.buried, m.left = true, c.reads, now
	c.moves(m.PID)
	if m.watched {
		m.watched = false
		c.ask(askUnwatch, m)
	}
	m.tree.recordOutward(trees.Change{Kind: trees.Left, Member: m.Member, Time: now})
}

// nest finds out whether the root of an outermost tree descends from another.
func (c *Core) nest(t *Tree, rows []process.Row) {
	if t.outer != nil || t.from != nil {
		return
	}
	via, outer, loose := c.around(t, rows)
	if outer == nil || outer.within(t) || t.released != nil && outer.within(t.released) {
		return
	}
	t.lie(outer)
	if root := c.rootOf(t); root != nil {
		root.via, root.loose = via, loose
	}
	t.outer.count(t.living, t.leaving)
	for _, m := range c.inOrder() {
		if m.alive() && m.tree.within(t) {
			t.outer.recordOutward(trees.Change{Kind: trees.Joined, Member: m.Member, Time: m.Joined})
		}
	}
	c.align(t.released)
	c.stir(t)
}

// around finds the tree that an outermost tree lies in, and the member through which it
// does. Its root is linked to that member, loosely or not. Where the root is an orphan or has
// gone, the mark of the tree around is evidence too.
func (c *Core) around(t *Tree, rows []process.Row) (via *member, outer *Tree, loose bool) {
	orphan := true
	if i, listed := c.rows[t.root.PID]; listed && c.rootOf(t) != nil {
		if link, via, outer := c.linkOf(&rows[i], rows); outer != nil {
			return via, outer, !link.Kind.Proves()
		}
		orphan = c.orphan(&rows[i], rows)
	}
	if orphan && len(t.carried) > 1 {
		if outer := c.treeOfMarks(t.carried[:len(t.carried)-1], func(*Tree) bool { return true }); outer != nil {
			return outer.anchor, outer, true
		}
	}
	return nil, nil, true
}

// rootOf returns the root of a tree as a member, or nil where it is not known any more.
func (c *Core) rootOf(t *Tree) *member {
	if m := c.known[t.root.PID]; m != nil && m.Identity == t.root {
		return m
	}
	return nil
}

// markNeeded marks the dead that can still link a process: those that a row names as
// parent, group or session, and those that have a row themselves.
func (c *Core) markNeeded(rows []process.Row) {
	for i := range rows {
		for _, id := range [...]int{rows[i].PID, rows[i].Parent, rows[i].Group, rows[i].Session} {
			if m := c.known[id]; m != nil && m.dead {
				m.needed = c.reads
			}
		}
	}
}

// forget drops the dead that can link no process any more, because later processes may
// get their PIDs. It drops none before everything is settled: the only process in a
// dead member's group may have been born after the list of PIDs was taken. A tree
// without members keeps its dead: a process that was missed can be found only by them.
// Where forks are named, the dead of the last linkPeriod stay too.
func (c *Core) forget(now time.Time) {
	if !c.settled() {
		return
	}
	c.lost = false
	for _, t := range c.trees {
		t.unsure = t.unsure && c.partial != nil // a whole table has confirmed it
	}
	for pid, m := range c.known {
		recent := c.forks == process.ForksNamed && now.Sub(m.left) <= linkPeriod
		if m.dead && m.needed != c.reads && m.tree.living > 0 && !recent {
			c.forgetMember(pid)
		}
	}
}

func (c *Core) ask(v verb, m *member) { c.asks = append(c.asks, ask{verb: v, id: m.Identity}) }
