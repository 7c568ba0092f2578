package core

import (
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// A table can be partial: /proc hides the processes of other users where it is mounted
// so (docs/linux.md L17). A process that it does not list may live all the same.

// hides returns why a tree without members is not known to be empty, or nil. Where forks
// are named, the notices alone show all members, unless some were lost or none was
// listened to for a time.
func (c *Core) hides(t *Tree) error {
	if c.forks == process.ForksNamed && !t.unsure {
		return nil
	}
	return c.partial
}

// tellDoubt records once that the tree cannot be found empty. A read on the beat shows
// whether the table still hides processes.
func (c *Core) tellDoubt(t *Tree, err error, now time.Time) {
	c.watchful = true
	if !t.doubted {
		t.doubted = true
		t.record(trees.Change{Kind: trees.Unreadable, Err: err, Time: now})
	}
}

// endDoubt records that a tree can be judged again, if it can.
func (c *Core) endDoubt(t *Tree, now time.Time) {
	if t.doubted && (t.living > 0 || c.hides(t) == nil) {
		t.doubted = false
		t.record(trees.Change{Kind: trees.Readable, Time: now})
	}
}

// match makes one identity of two that name the same process, one of which
// lacks the start time because the process is hidden, or was. They do while the process
// lives and its exit was not announced: its PID is no other's.
func (c *Core) match(m *member, row *process.Row, now time.Time) {
	switch {
	case !m.alive() || m.exited || row.State == process.Zombie:
	case row.Hidden && !m.hidden:
		row.Identity, row.User, row.Command = m.Identity, m.User, m.Command
	case !row.Hidden && m.hidden:
		m.tree.recordOutward(trees.Change{Kind: trees.Left, Member: m.Member, Time: now})
		m.Process, m.hidden = row.Process, false
		m.watched = false // under this identity
		c.moves(m.PID)
		m.tree.recordOutward(trees.Change{Kind: trees.Joined, Member: m.Member, Time: now})
	}
}

// mayAnnounce reports whether notices about a member that was found dead may be there
// still. A hidden one was not listed before it died either, so only the next look-up is
// known to come after them.
func (c *Core) mayAnnounce(m *member) bool {
	if c.partial == nil || c.forks != process.ForksNamed || m.missed {
		return false
	}
	m.missed = true
	c.stir(m.tree)
	return true
}
