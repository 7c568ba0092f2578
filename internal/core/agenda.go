package core

import (
	"slices"
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// An agenda has the trees that a step has something to do for. Of many trees most rest most
// of the time, and a step that looked at each of them would cost more with each.
//
// Both lists may hold more trees than they need to, never fewer: what makes a tree visibly
// different touches it, and what can unsettle it rouses it.
type agenda struct {
	touched  []*Tree // may look different to a caller since the last call of Touched
	restless []*Tree // not settled, or waiting to be found empty
}

// touch marks the tree as one that may look different to a caller.
func (t *Tree) touch() {
	if !t.touched {
		t.touched = true
		t.agenda.touched = append(t.agenda.touched, t)
	}
}

// rouse marks the tree as restless. That shows.
func (t *Tree) rouse() {
	t.touch()
	if !t.restless && !t.closed {
		t.restless = true
		t.agenda.restless = append(t.agenda.restless, t)
	}
}

// calm takes the trees that rest again out of the restless ones.
func (m *agenda) calm() {
	m.restless = slices.DeleteFunc(m.restless, func(t *Tree) bool {
		t.restless = !t.closed && (!t.Settled() || t.vacant())
		return !t.restless
	})
}

// Restless returns a tree that is not settled, and how often the table was read for it. It is
// nil where all are settled. Where forks are unseen, that proves nothing: then a tree is made
// unsettled.
func (c *Core) Restless(now time.Time) (t *Tree, reads int) {
	for _, t := range c.agenda.restless {
		if !t.Settled() && !t.closed {
			return t, t.reads
		}
	}
	if c.forks != process.ForksUnseen || len(c.trees) == 0 {
		return nil, 0
	}
	t = c.trees[0]
	c.recheck(t, now)
	return t, t.reads
}

// Touched calls a function on each tree that may look different than at the last call of
// Touched: in its changes, its verdict, whether it is settled, has been read or is closed,
// and in FailedSince. The function does not change the core, but for taking changes.
func (c *Core) Touched(visit func(*Tree)) {
	for i, t := range c.agenda.touched {
		t.touched, c.agenda.touched[i] = false, nil
		visit(t)
	}
	c.agenda.touched = c.agenda.touched[:0]
}
