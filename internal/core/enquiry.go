package core

import (
	"errors"
	"io/fs"
	"maps"
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// The environment of the processes of a tree may have a mark of the tree. A process that
// double-forked, left its groups and sessions and was not seen before its parent died
// carries it all the same. So an orphan that no other link leads to a tree is asked for its
// marks, once for each program that it runs. The answer adds a link and never takes one
// away: a process may have removed the mark, may hide it, or may have it from elsewhere.
//
// A process whose parent lives is judged by that parent alone, here too: it may have been
// started by a program that had copied the variable.

// An enquiry is what is known of the marks of an orphan.
type enquiry struct {
	process.Row           // as the last read showed it
	marks       []string  // what it answered
	answered    bool      // for the program and the user that it has
	withheld    bool      // it may not be asked, or has not answered for long
	since       time.Time // when it was first asked in vain, zero after an answer
}

const (
	// enquiryPatience is how long trees are not settled because a process gives no answer. A
	// process is between two programs for a moment only, but may have to wait for a disk in
	// it.
	enquiryPatience = 5 * time.Second
	// vanishingReads is how many reads in a row are followed by another one because they
	// have shown a process that was gone before it was asked. On a machine that makes orphans
	// all the time each read shows some.
	vanishingReads = UrgentReads
)

// enquire asks the orphans that a read has shown, as far as they can carry a mark of a
// tree.
func (c *Core) enquire(rows []process.Row, now time.Time) {
	if len(c.marked) == 0 {
		clear(c.enquiries)
		return
	}
	c.gatherAll()
	maps.DeleteFunc(c.enquiries, func(pid int, e *enquiry) bool {
		i, listed := c.rows[pid]
		return !listed || rows[i].Identity != e.Identity
	})
	first := c.firstMarked()
	for i := range rows {
		if p := &rows[i]; first.precedes(p) && c.mayBeAsked(p, rows) {
			c.enquireOf(p, now)
		}
	}
}

// mayBeAsked reports whether a process that no link leads to a tree is an orphan with an
// environment.
func (c *Core) mayBeAsked(p *process.Row, rows []process.Row) bool {
	return p.PID != 1 && p.State != process.Zombie && p.State != process.Exiting && !p.Hidden &&
		c.known[p.PID] == nil && !c.apartFromAll(p.Identity) && c.orphan(p, rows)
}

func (c *Core) enquireOf(p *process.Row, now time.Time) {
	e := c.enquiries[p.PID]
	if e == nil {
		e = &enquiry{}
		c.enquiries[p.PID] = e
	} else if e.Command != p.Command || e.User != p.User { // it runs another program
		e.answered = false
	}
	if e.Row = *p; e.answered {
		c.joinMarked(e, now) // a tree that has begun since may be that of a mark
		return
	}
	c.asks = append(c.asks, ask{verb: askMarks, id: p.Identity, row: *p})
}

// asked takes the outcome of askMarks: the marks in the environment of a process, the
// outermost first, or why they are not known.
func (c *Core) asked(id process.Identity, marks []string, err error, now time.Time) {
	e := c.enquiries[id.PID]
	if e == nil || e.Identity != id {
		return
	}
	switch {
	case errors.Is(err, process.ErrGone):
		delete(c.enquiries, id.PID)
		c.vanished()
	case errors.Is(err, fs.ErrPermission):
		e.marks, e.answered, e.withheld, e.since = nil, true, true, time.Time{}
	case err != nil:
		c.noAnswer(e, now)
	default:
		e.marks, e.answered, e.withheld, e.since = marks, true, false, time.Time{}
		c.joinMarked(e, now)
	}
}

// noAnswer has the trees read again, up to a time. Each later read asks the process again.
func (c *Core) noAnswer(e *enquiry, now time.Time) {
	if e.since.IsZero() {
		e.since = now
	}
	if e.withheld = now.Sub(e.since) >= enquiryPatience; !e.withheld {
		c.stirMarked()
	}
}

// vanished is called when a process has died before it was asked. It may have made a child
// since the read began, so the trees are read again, up to a number of times.
func (c *Core) vanished() {
	c.vanishes = true
	if c.vanishing < vanishingReads {
		c.stirMarked()
	}
}

// endVanishing is called at the end of a read.
func (c *Core) endVanishing() {
	if c.vanishes {
		c.vanishing = min(c.vanishing+1, vanishingReads)
	} else {
		c.vanishing = 0
	}
	c.vanishes = false
}

func (c *Core) stirMarked() {
	for _, t := range c.trees {
		if t.mark() != "" {
			c.stir(t)
		}
	}
}

// joinMarked makes a member of a process that carries the mark of a tree.
func (c *Core) joinMarked(e *enquiry, now time.Time) {
	t := c.treeOfMarks(e.marks, func(t *Tree) bool { return t.beginning().precedes(&e.Row) })
	if s := c.strangers[e.PID]; t != nil && s != nil && s.Identity == e.Identity && t.within(s.tree) {
		t = s.tree.outer
	}
	if t == nil || c.known[e.PID] != nil {
		return
	}
	delete(c.enquiries, e.PID)
	m := c.join(e.Row, trees.Link{Kind: trees.LinkMark, Through: t.root}, t.anchor, t, now)
	m.marks = e.marks
	c.stir(t)
	c.watchful = c.watchful || c.forks == process.ForksUnseen
	c.ask(askWatch, m)
}

// Withheld counts the orphans that may not be asked for the mark of a tree.
func (c *Core) Withheld(t *Tree) (n int) {
	if t.mark() == "" {
		return 0
	}
	for _, e := range c.enquiries {
		if e.withheld {
			n++
		}
	}
	return n
}
