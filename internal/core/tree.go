package core

import (
	"cmp"
	"slices"
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// Members returns the live members of a tree, oldest first.
func (c *Core) Members(t *Tree) (members []trees.Member) {
	for _, inner := range c.trees {
		if !inner.within(t) {
			continue
		}
		for _, m := range inner.own {
			if m.alive() {
				members = append(members, m.Member)
			}
		}
	}
	slices.SortFunc(members, func(a, b trees.Member) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.PID, b.PID))
	})
	return members
}

// Changes takes what has been logged since the last call.
func (c *Core) Changes(t *Tree) []trees.Change {
	if !t.logging {
		t.logging = true
		c.recount(t)
	}
	changes := t.log
	t.log = nil
	return changes
}

// Logged reports whether Changes has something to take.
func (t *Tree) Logged() bool { return len(t.log) > 0 }

// recount writes the present members to the log of a tree.
func (c *Core) recount(t *Tree) {
	for _, m := range c.Members(t) {
		t.log = append(t.log, trees.Change{Kind: trees.Joined, Member: m, Time: m.Joined})
	}
	if t.released != nil {
		for _, m := range c.Members(t.released) {
			t.log = append(t.log, trees.Change{Kind: trees.Released, Member: m, Time: m.Joined})
		}
	}
	if t.told {
		t.log = append(t.log, trees.Change{Kind: trees.Emptied, Time: c.lastRead})
	}
	if t.doubted {
		t.log = append(t.log, trees.Change{Kind: trees.Unreadable, Err: c.partial, Time: c.lastRead})
	}
}

// TreeOf returns the nearest tree that the process with this PID is a member of, or
// nil.
func (c *Core) TreeOf(pid int) *Tree {
	m := c.known[pid]
	if m == nil || m.dead || m.exited {
		return nil
	}
	return m.tree.counting()
}

// recheck makes a tree unsettled, so that the table is read anew for it.
func (c *Core) recheck(t *Tree, now time.Time) {
	c.freshen(now)
	c.stir(t)
	t.emptied = false
}

// Reads counts the reads that have begun.
func (c *Core) Reads() int { return c.reads }

// Unreadable returns why the last read gave no table, or nil.
func (c *Core) Unreadable() error { return c.unreadable }

// Root returns the process that the tree began with.
func (t *Tree) Root() process.Identity { return t.root }

// Reads counts the whole reads since the tree began.
func (t *Tree) Reads() int { return t.reads }

// Begun reports whether all processes that can be found to belong to the tree at its
// beginning are members.
func (t *Tree) Begun() bool { return t.begun }

// begin records at the end of a read whether the tree has begun. One read is enough where the
// root has waited. Else a process that the read shows may have made another one after the list of
// PIDs was taken and before it was watched. Nothing announces that, and it would be an orphan
// without a link if its parent ended before the next read. So a read has to follow that
// brings nothing new. In a storm none does: then the tree has begun after some reads.
func (t *Tree) begin() {
	t.begun = t.begun || t.waits || t.clean > 0 || t.reads >= UrgentReads
}

// Closed reports whether the tree is not followed any more.
func (t *Tree) Closed() bool { return t.closed }

// Settled reports whether the last reads in a row brought nothing new.
func (t *Tree) Settled() bool { return t.clean >= settledReads }
