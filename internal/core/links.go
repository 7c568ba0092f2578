package core

import (
	"slices"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// linkOf finds the evidence that a process belongs to a tree, the member through which
// it joins, and that tree, which is nil if it joins none.
func (c *Core) linkOf(row *process.Row, rows []process.Row) (trees.Link, *member, *Tree) {
	kind, m := c.nearest(row, rows)
	if m == nil {
		return trees.Link{}, nil, nil
	}
	return linkTo(kind, m), m, c.treeFor(row, linked(kind, m))
}

// nearest finds the member that is linked to a process, and how.
func (c *Core) nearest(row *process.Row, rows []process.Row) (trees.LinkKind, *member) {
	if c.apartFromAll(row.Identity) {
		return "", nil
	}
	if m := c.known[row.Parent]; m != nil && c.mayBeParent(m, row) {
		return trees.LinkParent, m
	}
	if !c.orphan(row, rows) {
		return "", nil
	}
	if m := c.makerByLineage(row); m != nil {
		return trees.LinkLineage, m
	}
	group, session := c.creatorOf(row.Group, row), c.creatorOf(row.Session, row)
	switch {
	case group != nil && !(isReleased(group) && isReleased(session)):
		return trees.LinkGroup, group
	case session != nil:
		return trees.LinkSession, session
	}
	return "", nil
}

// apartFromAll reports whether a process joins no tree, by whatever link: this one, and
// those that it has started for itself. They are children of a member where this process
// was one before it ran this program.
func (c *Core) apartFromAll(id process.Identity) bool {
	return id.PID == c.self || slices.Contains(c.apart, id)
}

func linkTo(kind trees.LinkKind, m *member) trees.Link {
	return trees.Link{Kind: kind, Through: m.Identity}
}

// mayBeParent reports whether a row that names m's PID as its parent means m.
// An exit is announced after the children went to init (docs/xnu.md G6). If m's exit
// was known before this read, the parent in the row is a later process with m's PID. A
// traced process keeps the PID of its real parent, alive or dead. This process never
// counts, and lives on with the children that it had as a member.
func (c *Core) mayBeParent(m *member, row *process.Row) bool {
	if m.PID == row.PID {
		return false
	}
	return row.Tracer != 0 || m.PID == c.self || !m.exited && (m.alive() || m.buried == c.reads)
}

// orphan reports whether the parent of a process died. A process whose parent
// lives is judged by its parent alone: strangers can be in a member's group.
func (c *Core) orphan(row *process.Row, rows []process.Row) bool {
	if row.Parent == 1 {
		return true
	}
	i, listed := c.rows[row.Parent]
	if !listed {
		return true
	}
	if c.forks == process.ForksAnnounced {
		return false // XNU gives orphans to launchd only
	}
	// On Linux any ancestor can adopt orphans (PR_SET_CHILD_SUBREAPER). Only
	// adoption and setsid put a process into another session than its parent.
	parent := &rows[i]
	return row.Session != 0 && parent.Session != 0 &&
		parent.Session != row.Session && row.Session != row.PID
}

// indexLineage makes a process findable by the lineages of those it made.
func (c *Core) indexLineage(m *member) {
	if m.lineage.Self != 0 && c.known[m.PID] == m {
		c.byLineage[m.lineage.Self] = m
	}
}

// makerByLineage finds the member that made an orphan. A process is younger than the
// one that made it. After an exec the kernel may name another one, which can be younger
// than the orphan and is not taken.
func (c *Core) makerByLineage(row *process.Row) *member {
	m := c.byLineage[row.Lineage.Parent]
	if row.Lineage.Parent == 0 || m == nil || m.lineage.Self >= row.Lineage.Self {
		return nil
	}
	return m
}

// creatorOf finds the member that created the group or session with this id,
// which is that member's PID. The id of a group or session in use is no
// process's PID but its creator's (docs/xnu.md G8). A process older than the
// creator came in from outside. A hidden one has no start time that would show this.
func (c *Core) creatorOf(id int, row *process.Row) *member {
	m := c.known[id]
	if m == nil || id == row.PID || row.Start < m.Start && !row.Hidden || m.reserve && !c.lost {
		return nil
	}
	return m
}
