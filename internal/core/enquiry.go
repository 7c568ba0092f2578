package core

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
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
	process.Row      // as the read showed it after which it was asked
	answered    bool // it has no mark of a tree, or may not be asked
	withheld    bool // it may not be asked
	tries       int  // that had no answer
}

// enoughTries is how often a process is asked that gives no answer, because it is between
// two programs. It is there for a moment only. A process that stays there counts as one that
// may not be asked, so that it does not keep the trees from being settled.
const enoughTries = 8

// enquire asks the orphans that a read has shown, as far as they can carry a mark of a
// tree.
func (c *Core) enquire(rows []process.Row) {
	first := c.firstMarked()
	c.forgetEnquiries(rows, first != nil)
	if first == nil {
		return
	}
	for i := range rows {
		if p := &rows[i]; first.precedes(p) && c.mayBeAsked(p, rows) {
			c.enquireOf(p)
		}
	}
}

// A beginning is when the first root of a tree with a mark was made, by both clocks.
type beginning struct {
	start process.StartTime
	self  uint64 // its lineage, or 0
}

// firstMarked returns the beginning of all trees with a mark, or nil if there is none.
func (c *Core) firstMarked() (first *beginning) {
	for _, t := range c.trees {
		if t.mark() == "" {
			continue
		}
		if first == nil {
			first = &beginning{start: t.root.Start}
		}
		first.start = min(first.start, t.root.Start)
		if t.anchor != nil && t.anchor.lineage.Self != 0 && (first.self == 0 || t.anchor.lineage.Self < first.self) {
			first.self = t.anchor.lineage.Self
		}
	}
	return first
}

// precedes reports whether a process may have been made later. XNU takes start times from
// the wall clock, which can be set back (docs/xnu.md R19); lineages only grow.
func (b *beginning) precedes(p *process.Row) bool {
	return p.Start >= b.start || b.self != 0 && p.Lineage.Self > b.self
}

// mayBeAsked reports whether a process that no link leads to a tree is an orphan with an
// environment.
func (c *Core) mayBeAsked(p *process.Row, rows []process.Row) bool {
	return p.PID != 1 && p.State != process.Zombie && p.State != process.Exiting && !p.Hidden &&
		c.known[p.PID] == nil && !c.apartFromAll(p.Identity) && c.orphan(p, rows)
}

func (c *Core) enquireOf(p *process.Row) {
	e := c.enquiries[p.PID]
	switch {
	case e == nil:
		e = &enquiry{Row: *p}
		c.enquiries[p.PID] = e
	case e.Command != p.Command: // it runs another program
		*e = enquiry{Row: *p}
	case e.answered:
		return
	}
	e.Row = *p
	c.asks = append(c.asks, ask{verb: askMarks, id: p.Identity, row: *p})
}

// forgetEnquiries drops what is known of processes that a read does not show any more.
func (c *Core) forgetEnquiries(rows []process.Row, marked bool) {
	maps.DeleteFunc(c.enquiries, func(pid int, e *enquiry) bool {
		i, listed := c.rows[pid]
		return !marked || !listed || rows[i].Identity != e.Identity
	})
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
	case errors.Is(err, fs.ErrPermission):
		e.answered, e.withheld = true, true
	case err != nil:
		c.noAnswer(e)
	default:
		e.answered = true
		c.joinMarked(e, marks, now)
	}
}

// noAnswer has the next read ask again, up to a number of times.
func (c *Core) noAnswer(e *enquiry) {
	if e.tries++; e.tries == enoughTries {
		e.answered, e.withheld = true, true
		return
	}
	for _, t := range c.trees {
		if len(t.carried) > 0 {
			c.stir(t)
		}
	}
}

// joinMarked makes a member of a process that carries the mark of a tree.
func (c *Core) joinMarked(e *enquiry, marks []string, now time.Time) {
	t := c.treeOfMarks(marks)
	if s := c.strangers[e.PID]; t != nil && s != nil && s.Identity == e.Identity && t.within(s.tree) {
		t = s.tree.outer
	}
	if t == nil || c.known[e.PID] != nil {
		return
	}
	delete(c.enquiries, e.PID)
	m := c.join(e.Row, trees.Link{Kind: trees.LinkMark, Through: t.root}, t.anchor, t, now)
	c.stir(t)
	c.watchful = c.watchful || c.forks == process.ForksUnseen
	c.ask(askWatch, m)
}

// treeOfMarks returns the tree of the innermost mark that is that of a tree, or nil.
func (c *Core) treeOfMarks(marks []string) *Tree {
	for _, mark := range slices.Backward(marks) {
		for _, t := range c.trees {
			if t.mark() == mark {
				return t
			}
		}
	}
	return nil
}

// mark returns the mark of the tree, or nothing.
func (t *Tree) mark() string {
	if len(t.carried) == 0 {
		return ""
	}
	return t.carried[len(t.carried)-1]
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
