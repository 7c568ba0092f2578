package core

import (
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// read applies one read of the table. What is to be done next is in c.asks.
func (c *Core) read(rows []process.Row, now time.Time) {
	clear(c.rows)
	for i := range rows {
		c.rows[rows[i].PID] = i
	}
	c.looking = false
	clear(c.byLineage)
	for _, m := range c.known {
		c.review(m, rows, now)
		c.noteLineage(m)
	}
	for c.admit(rows, now) {
	}
	for _, t := range c.trees {
		c.nest(t, rows)
	}
	c.markNeeded(rows)
}

// review compares what is known of a process with its row.
func (c *Core) review(m *member, rows []process.Row, now time.Time) {
	i, listed := c.rows[m.PID]
	same := listed && rows[i].Identity == m.Identity
	switch {
	case c.forks == process.ForksNamed && m.watched && (!same || rows[i].State == process.Zombie) && m.ended != c.reads-1:
		// Its exit will be announced, after forks of its that we have not been
		// told of yet, unless that was lost. All it did before this read is
		// known when the next one begins.
		m.ended = c.reads
		c.stir(m.tree)
	case listed && !same:
		// The PID is another's. That also means that no group or session
		// has this id any more (xnu-facts G8), so it links nobody.
		c.discover(m, now)
		delete(c.known, m.PID)
	case !listed && (m.exited || m.dead):
		c.bury(m, now)
	case !listed:
		// A row is missing and no exit was announced: perhaps a traced
		// process (xnu-facts 1.6), perhaps a table that hides it, perhaps the
		// notice was lost.
		c.ask(askProbe, m)
		c.looking = true
	case rows[i].State == process.Zombie, rows[i].State == process.Exiting && m.exited:
		// After its exit was announced a process can no longer fork, though
		// its row may read "exiting" for a while (xnu-facts R7).
		m.State = process.Zombie
		c.discover(m, now)
	default:
		c.refresh(m, rows[i])
	}
}

// discover buries somebody whom a read shows to be dead. Unless the exit was
// announced before the read began, that is news: the list of PIDs may be older
// than what the dead one did last.
func (c *Core) discover(m *member, now time.Time) {
	if !m.exited && m.alive() {
		c.stir(m.tree)
	}
	c.bury(m, now)
}

// refresh takes over the row of a process that is not dead.
func (c *Core) refresh(m *member, row process.Row) {
	if row.Session == 0 {
		row.Session = m.Session // the kernel does not say it of the exiting
	}
	if row.Lineage.Self == 0 {
		row.Lineage = m.lineage
	}
	m.Process, m.lineage = row.Process, row.Lineage
	if m.dead || m.exited {
		// It was taken for dead wrongly: the notice was about an earlier
		// process with this PID, or a table had hidden the row.
		m.tree.count(0, -m.leaving())
		if m.dead {
			m.tree.count(+1, 0)
			m.tree.note(trees.Change{Kind: trees.Joined, Member: m.Member, Time: m.Joined})
		}
		m.dead, m.exited, m.watched = false, false, false
		c.stir(m.tree)
	}
	if !m.watched && row.State != process.Exiting {
		c.ask(askWatch, m)
	}
	if !m.watched || m.Tracer != 0 || row.Headless || c.forks == process.ForksUnseen {
		c.looking = true
	}
}

// admit lets in everybody who is linked to somebody known. It reports whether
// there was anybody, because they may link others.
func (c *Core) admit(rows []process.Row, now time.Time) (any bool) {
	for i := range rows {
		row := &rows[i]
		if m := c.known[row.PID]; m != nil {
			continue
		}
		link, via := c.linkOf(row, rows)
		if via == nil {
			continue
		}
		m := c.join(*row, link, via, via.tree, now)
		any = true
		if m.dead {
			continue
		}
		c.stir(m.tree)
		c.looking = c.looking || c.forks == process.ForksUnseen || row.State == process.Exiting
		if row.State != process.Exiting {
			c.ask(askWatch, m)
		}
	}
	return any
}

// linkOf finds the evidence that a process belongs to a tree.
func (c *Core) linkOf(row *process.Row, rows []process.Row) (trees.Link, *member) {
	if row.PID == c.self {
		return trees.Link{}, nil
	}
	if m := c.known[row.Parent]; m != nil && c.mayBeParent(m, row) {
		return linkTo(trees.LinkParent, m), m
	}
	if !c.orphan(row, rows) {
		return trees.Link{}, nil
	}
	if m := c.makerByLineage(row); m != nil {
		return linkTo(trees.LinkLineage, m), m
	}
	if m := c.creatorOf(row.Group, row); m != nil {
		return linkTo(trees.LinkGroup, m), m
	}
	if m := c.creatorOf(row.Session, row); m != nil {
		return linkTo(trees.LinkSession, m), m
	}
	return trees.Link{}, nil
}

// mayBeParent reports whether a row that names m's PID as its parent means m.
// An exit is announced after the children went to init (xnu-facts G6), so a
// parent whose exit was known before this read is another process by now. One
// that a debugger holds keeps the PID of its real parent though.
func (c *Core) mayBeParent(m *member, row *process.Row) bool {
	if m.PID == row.PID {
		return false
	}
	return row.Tracer != 0 || !m.exited && (m.alive() || m.buried == c.reads)
}

// orphan reports whether the parent of a process died. A process whose parent
// lives is judged by its parent alone: a stranger may share our group.
func (c *Core) orphan(row *process.Row, rows []process.Row) bool {
	if row.Parent == 1 {
		return true
	}
	i, listed := c.rows[row.Parent]
	if !listed {
		return true
	}
	if c.forks == process.ForksAnnounced {
		return false // XNU gives orphans to nobody but launchd
	}
	// On Linux any ancestor can adopt orphans (PR_SET_CHILD_SUBREAPER). Only
	// adoption and setsid put a process into another session than its parent.
	parent := &rows[i]
	return row.Session != 0 && parent.Session != 0 &&
		parent.Session != row.Session && row.Session != row.PID
}

// noteLineage makes a process findable by the lineages of those it made.
func (c *Core) noteLineage(m *member) {
	if m.lineage.Self != 0 && c.known[m.PID] == m {
		c.byLineage[m.lineage.Self] = m
	}
}

// makerByLineage finds the member that made an orphan. Nobody is older than who made
// him; after an exec the kernel may name another, who can be younger.
func (c *Core) makerByLineage(row *process.Row) *member {
	m := c.byLineage[row.Lineage.Parent]
	if row.Lineage.Parent == 0 || m == nil || m.lineage.Self >= row.Lineage.Self {
		return nil
	}
	return m
}

// creatorOf finds the member that created the group or session with this id,
// which is that member's PID. The id of a group or session in use is no
// process's PID but its creator's (xnu-facts G8). Somebody older than the
// creator came in from outside.
func (c *Core) creatorOf(id int, row *process.Row) *member {
	m := c.known[id]
	if m == nil || id == row.PID || row.Start < m.Start {
		return nil
	}
	return m
}

// join makes a process known as part of a tree.
func (c *Core) join(p process.Row, link trees.Link, via *member, t *Tree, now time.Time) *member {
	if old := c.known[p.PID]; old != nil {
		old.watched = false // whoever watches the PID watches the new one
		c.bury(old, now)
	}
	m := &member{Member: trees.Member{Process: p.Process, Link: link, Joined: now}, lineage: p.Lineage, tree: t, via: via}
	m.shorten()
	c.known[p.PID] = m
	c.noteLineage(m)
	if p.State == process.Zombie {
		m.dead, m.buried = true, c.reads
		return m
	}
	t.count(+1, 0)
	t.note(trees.Change{Kind: trees.Joined, Member: m.Member, Time: now})
	return m
}

// bury records that a process is established to be dead.
func (c *Core) bury(m *member, now time.Time) {
	if m.dead {
		return
	}
	m.tree.count(-1, -m.leaving())
	m.dead, m.buried = true, c.reads
	if m.watched {
		m.watched = false
		c.ask(askUnwatch, m)
	}
	m.tree.note(trees.Change{Kind: trees.Left, Member: m.Member, Time: now})
}

// nest finds out whether the root of an outermost tree descends from another.
func (c *Core) nest(t *Tree, rows []process.Row) {
	root := c.known[t.root.PID]
	i, listed := c.rows[t.root.PID]
	if t.outer != nil || root == nil || root.Identity != t.root || !listed {
		return
	}
	_, via := c.linkOf(&rows[i], rows)
	if via == nil || via.tree.within(t) {
		return
	}
	t.outer, root.via = via.tree, via
	t.outer.count(t.living, t.leaving)
	for _, m := range c.known {
		if m.alive() && m.tree.within(t) {
			t.outer.note(trees.Change{Kind: trees.Joined, Member: m.Member, Time: m.Joined})
		}
	}
	c.stir(t)
}

// markNeeded notes which of the dead can still link somebody: those whom a row
// names as parent, group or session, and those who have a row themselves.
func (c *Core) markNeeded(rows []process.Row) {
	for i := range rows {
		for _, id := range [...]int{rows[i].PID, rows[i].Parent, rows[i].Group, rows[i].Session} {
			if m := c.known[id]; m != nil && m.dead {
				m.needed = c.reads
			}
		}
	}
}

// forget drops the dead that can link nobody any more, so that their PIDs may
// come to mean others. Before everything is settled nothing is forgotten: the
// only process in a dead member's group may have been born after the list of
// PIDs was taken. A tree that has no member keeps its dead: somebody who slipped
// through can be found only by them.
func (c *Core) forget() {
	if !c.settled() {
		return
	}
	for pid, m := range c.known {
		if m.dead && m.needed != c.reads && m.tree.living > 0 {
			delete(c.known, pid)
		}
	}
}

func (c *Core) ask(v verb, m *member) { c.asks = append(c.asks, ask{v, m.Identity}) }

func linkTo(kind trees.LinkKind, m *member) trees.Link {
	return trees.Link{Kind: kind, Through: m.Identity}
}
