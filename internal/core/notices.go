package core

import (
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// take takes one notice.
func (c *Core) take(n Notice, now time.Time) {
	if n.Lost {
		c.suspect(now)
		for _, t := range c.trees {
			t.unsure = true
			c.stir(t)
		}
		return
	}
	if s := c.strangers[n.PID]; s != nil {
		c.hear(s, n)
		return
	}
	m := c.known[n.PID]
	if m == nil || m.dead {
		return
	}
	if n.Events.Has(process.Exited) {
		before := m.leaving()
		m.exited, m.watched = true, false
		c.moves(m.PID)
		m.tree.count(0, m.leaving()-before)
	}
	if c.forks == process.ForksNamed {
		c.takeNamed(m, n, now)
		return
	}
	// An exec counts too: a fork in another thread while one execs is
	// not announced (docs/xnu.md R17).
	c.stir(m.tree)
}

// takeNamed takes a notice of a kernel that names each child before it can
// run. Nothing has to be read for that.
func (c *Core) takeNamed(m *member, n Notice, now time.Time) {
	switch {
	case n.Events.Has(process.Forked):
		if n.Child != c.self && c.isNew(n.Found) {
			c.join(bornOf(m, n.Found), linkTo(trees.LinkParent, m), m, m.tree, now).watched = true
		}
	case n.Events.Has(process.Execed):
		if n.Found.Identity == m.Identity {
			m.Process = n.Found.Process
		}
	case n.Events.Has(process.Exited):
		c.bury(m, now)
		c.doubt(m.tree, now)
		c.tidy(now)
	}
}

// doubt is called when a member has died. The notice of a fork may have been lost without a
// word, so the table is read for what it left behind: soon, and at once for a tree whose
// last known member it was. That tree is empty when the table has shown it.
func (c *Core) doubt(t *Tree, now time.Time) {
	if t.living > 0 {
		if c.look.IsZero() {
			c.look = now.Add(deathLook)
		}
		return
	}
	c.suspect(now)
	for ; t != nil && t.living == 0; t = t.outer {
		t.unsettle()
	}
}

// suspect is called before a read that is to find what lost notices were about.
func (c *Core) suspect(now time.Time) {
	c.freshen(now)
	c.lost = c.forks == process.ForksNamed
}

// isNew reports whether a child that is announced is not known yet, by a read for
// instance. An earlier process with its PID is dead, though its exit may be announced
// later.
func (c *Core) isNew(child process.Row) bool {
	m := c.known[child.PID]
	return m == nil || m.dead || m.exited || child.Start != 0 && child.Identity != m.Identity
}

// bornOf completes the row of a child that was gone when it was looked up: it was born
// into the group and session of its parent, with its user.
func bornOf(parent *member, child process.Row) process.Row {
	if child.Start == 0 {
		child.Parent, child.Group, child.Session, child.User = parent.PID, parent.Group, parent.Session, parent.User
	}
	return child
}

// freshen is called before a read that no notice asks for. Where forks are named, the
// last read can be long ago, and the PIDs of the dead may mean other processes by now.
func (c *Core) freshen(now time.Time) {
	if c.forks == process.ForksNamed {
		c.crowd = 0
		c.tidy(now)
	}
}

// linkPeriod is how long a dead member can link a process whose fork was lost. The
// kernel reports a loss only with the next notices. Until then the core does not know
// that a process is in the group or session of the dead member. A PID is not used again
// within this time unless the machine forks through all PIDs.
const linkPeriod = 2 * time.Second

// tidy drops dead members where forks are named, since a read that would drop them can
// be long in coming. It keeps a dead member if one that is alive, or was within the
// linkPeriod, is in a group or session with its PID: that member can link a process when
// notices are lost, and no later process has its PID. It keeps the others for the
// linkPeriod, and until a read has begun, in reserve.
func (c *Core) tidy(now time.Time) {
	if len(c.known) <= c.crowd {
		return
	}
	if c.settled() {
		c.dropDead(now)
	}
	c.crowd = 2*len(c.known) + smallCrowd
}

func (c *Core) dropDead(now time.Time) {
	needed := make(map[int]bool) // the dead, and whether a group or session keeps them
	for m := range c.all {
		if m.dead {
			needed[m.PID] = false
		}
	}
	if len(needed) == 0 {
		return
	}
	for m := range c.all {
		if !m.alive() && now.Sub(m.left) > linkPeriod {
			continue
		}
		for _, id := range [...]int{m.Group, m.Session} {
			if _, dead := needed[id]; dead {
				needed[id] = true
			}
		}
	}
	for pid, need := range needed {
		m := c.known[pid]
		if m.reserve = !need; m.reserve && m.buried < c.reads && now.Sub(m.left) > linkPeriod {
			c.forgetMember(pid)
		}
	}
}

// smallCrowd is how many processes are known before tidying is worth it.
const smallCrowd = 64
