package core

import (
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// A glance is a look at the table that costs far less than a read. It is enough where a
// tree without members waits to be found empty and forks are named. All its members are
// dead, and their exits were announced or two reads have shown them dead: so no process has
// one as its parent. One that joined now would do so as an orphan in a group or session that
// a member created, or by such an orphan. Where no process is in these groups and
// sessions, a read would bring nothing new. Two glances in a row settle a tree for the same
// reason as two reads: a list of PIDs is no snapshot.

// remains returns the ids of the groups and sessions by which alone a process could still
// join a tree that is not settled, or nil where it takes a read to find that out.
func (c *Core) remains() (ids map[int]bool) {
	if c.forks != process.ForksNamed || c.reads == 0 || c.unreadable != nil || c.partial != nil || c.inhabited || c.settled() {
		return nil
	}
	for _, t := range c.agenda.restless {
		if !t.Settled() && (!t.Begun() || t.living > 0 || t.unsure) {
			return nil
		}
	}
	if c.known[c.self] != nil {
		return nil // its children would be members
	}
	ids = make(map[int]bool)
	for _, t := range c.trees {
		moves := t.moves()
		if !moves && t.from == nil {
			continue
		}
		// All members of a tree that moves are dead. What was released from it may live.
		for _, m := range t.own {
			if m.dead && moves || isReleased(m) && m.originNow().moves() {
				ids[m.PID] = true
			}
		}
	}
	return ids
}

// moves reports whether the tree or one around it is not settled.
func (t *Tree) moves() bool {
	for ; t != nil; t = t.outer {
		if !t.Settled() {
			return true
		}
	}
	return false
}

// glanced takes the outcome of a glance, with the processor time that it took. Vacant
// means that no process is in what remains; else one may be. No notice was taken since it began.
func (c *Core) glanced(vacant bool, now time.Time, cost time.Duration) {
	c.budget.charge(cost, now)
	if !vacant {
		c.inhabited = true
		return
	}
	for _, t := range c.agenda.restless {
		if !t.Settled() {
			t.clean++
			t.urgent++
			t.touch()
		}
	}
	c.lost = c.lost && !c.settled()
	c.conclude(now)
	c.agenda.calm()
}
