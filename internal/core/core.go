package core

import (
	"errors"
	"slices"
	"time"

	"github.com/gemini-monitor/gemini/internal/pidtable"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// A Core decides which processes belong to which tree, and when to read the table
// next. It is plain data: it makes no system call, reads no clock and starts no
// goroutine. A [Follower] drives it.
//
// It takes three kinds of news: notices about watched members, whole reads of the
// table, and the outcomes of what it asked for.
type Core struct {
	self      int                // the PID of this process, which is never a member
	apart     []process.Identity // what this process has started for itself
	forks     process.Forks
	known     map[int]*member
	trees     []*Tree
	strangers map[int]*stranger
	enquiries map[int]*enquiry       // none while no tree has a mark
	marked    map[string]*Tree       // by the mark of each
	places    *pidtable.Table[Place] // nil unless published
	moved     []int                  // PIDs whose places may have changed
	vanishing int                    // reads in a row in which processes were gone before they were asked
	vanishes  bool                   // this read too
	agenda    agenda

	reads      int                // begun so far
	unreadable error              // why the last read gave nothing
	partial    error              // why the last read did not show all processes
	failed     int                // the number of the last read that gave nothing
	rows       map[int]int        // of the read being applied: index by PID
	order      []*member          // see inOrder
	byLineage  map[uint64]*member // during a read
	asks       []ask              // what the follower is to do after a read
	budget     budget             // how often reading is worth its cost
	lastRead   time.Time          // when the last read ended
	look       time.Time          // when a read is to follow the death of a member, if forks are named
	beat       time.Duration      // between reads that nothing announced
	lost       bool               // notices were or may have been lost since everything was last settled
	watchful   bool               // a member cannot announce its end: read on the beat
	crowd      int                // how many processes may be known before tidy drops the dead
	inhabited  bool               // a glance has not shown what it is for: read until all is settled
}

// settledReads is how many clean reads in a row, or glances, settle the trees. One is not
// enough: rows are filled after the list of PIDs is taken, so one read can miss
// a child whose parent died between the two (docs/xnu.md R3, R10, R20).
const settledReads = 2

// UrgentReads is how many reads in a row a tree that waits to be found empty gets
// without a pause. Only repeated losses of notices make more of them necessary: then
// the budget spaces them out. After a read that brought nothing new, the next one
// begins at once even beyond this number.
const UrgentReads = 2 * settledReads

const (
	firstBeat = 4 * time.Millisecond
	// SlowBeat is for members that cannot announce their end: exiting ones, traced
	// ones, and those whose watch was refused.
	SlowBeat = time.Second
	// forkBeat is for all members where forks are unseen.
	forkBeat = 250 * time.Millisecond
	// SafetyBeat is for all members where forks are named. The kernel drops a message
	// without a word when it has no memory for it (docs/linux.md L40): the exit of the
	// last member can be among them, and then no notice follows. A read costs a few
	// milliseconds. This beat keeps an idle minute free of them, and bounds how long
	// after such a loss the end is noticed.
	SafetyBeat = 5 * time.Minute
	// deathLook is how soon the table is read after the death of a member where forks
	// are named: the fork of an orphan that it left may be lost too, and the dead one
	// links that while no other process has its PID.
	deathLook = time.Second
)

func newCore(self int, forks process.Forks) *Core {
	return &Core{
		self: self, forks: forks,
		known: make(map[int]*member), strangers: make(map[int]*stranger),
		enquiries: make(map[int]*enquiry), marked: make(map[string]*Tree),
		rows: make(map[int]int), byLineage: make(map[uint64]*member),
	}
}

// An ask is something the core wants done to one process after a read.
type ask struct {
	verb verb
	id   process.Identity
	row  process.Row // of askMarks
}

type verb uint8

const (
	askWatch   verb = iota // watch the PID, then look up which process has it
	askUnwatch             // stop watching the PID
	askProbe               // look it up: is it still there?
	askMarks               // which marks are in its environment?
)

// conclude is called when all notices that are there have been taken. It finds trees
// empty.
func (c *Core) conclude(now time.Time) {
	for _, t := range c.agenda.restless {
		if t.Settled() && t.living == 0 && !t.emptied {
			t.touch()
			if err := c.hides(t); err != nil && t.from == nil {
				c.tellDoubt(t, err, now)
				continue
			}
			t.emptied, t.urgent = true, 0
			if !t.told {
				t.told = true
				t.record(trees.Change{Kind: trees.Emptied, Time: now})
			}
		}
	}
}

// due returns when the next read is to begin, if any is.
func (c *Core) due() (at time.Time, ok bool) {
	if len(c.trees) == 0 {
		return time.Time{}, false
	}
	if c.unreadable != nil {
		return c.lastRead.Add(c.beat), true
	}
	for _, t := range c.agenda.restless {
		if t.Settled() {
			continue
		}
		if !t.Begun() || t.vacant() && (t.urgent < UrgentReads || t.clean > 0) {
			return c.lastRead, true // a caller waits for that: it is worth the price
		}
		at, ok = c.budget.ready(), true
	}
	switch {
	case !ok && c.watchful:
		return c.lastRead.Add(c.beat), true
	case !ok && c.forks == process.ForksNamed:
		return c.safetyLook(), true
	}
	return at, ok
}

// safetyLook returns when the next read is to find what lost notices were about.
func (c *Core) safetyLook() time.Time {
	at := c.lastRead.Add(SafetyBeat)
	if c.look.IsZero() || c.look.After(at) {
		return at
	}
	if ready := c.budget.ready(); ready.After(c.look) {
		return ready
	}
	return c.look
}

// readBegins is called when every notice has been taken, before a read.
func (c *Core) readBegins(now time.Time) {
	if c.settled() {
		c.suspect(now) // no notice asks for this read
	}
	c.look = time.Time{}
	if c.unreadable != nil || c.settled() {
		c.beat = min(2*c.beat, c.longestBeat())
	}
	c.reads++
	for _, t := range c.trees {
		t.news = false
	}
}

func (c *Core) settled() bool {
	return !slices.ContainsFunc(c.agenda.restless, func(t *Tree) bool { return !t.Settled() })
}

func (c *Core) longestBeat() time.Duration {
	if c.forks == process.ForksUnseen {
		return forkBeat
	}
	return SlowBeat
}

// readFails is called when a read gave no table.
func (c *Core) readFails(err error, now time.Time) {
	for _, t := range c.trees {
		t.clean = 0
		t.rouse()
		if c.unreadable == nil {
			t.record(trees.Change{Kind: trees.Unreadable, Err: err, Time: now})
		}
	}
	c.unreadable, c.failed, c.lastRead = err, c.reads, now
}

// readEnds is called when all asks of a read have been answered, with the processor
// time that the read took.
func (c *Core) readEnds(now time.Time, cost time.Duration) {
	readable := c.unreadable != nil
	c.unreadable, c.lastRead = nil, now
	c.budget.charge(cost, now)
	for _, t := range c.trees {
		t.reads++
		if readable {
			t.record(trees.Change{Kind: trees.Readable, Time: now})
		}
		if !t.news {
			t.clean++
		}
		if t.urgent++; !t.vacant() {
			t.urgent = 0
		}
		t.begin()
	}
	c.inhabited = c.inhabited && !c.settled()
	c.endVanishing()
	c.forget(now)
	for _, t := range c.trees {
		c.endDoubt(t, now)
	}
	c.conclude(now)
	for _, t := range c.agenda.restless {
		t.touch()
	}
	c.agenda.calm()
}

// watched takes the outcome of askWatch: the process that has the PID now that it is
// watched, or why it is not watched.
func (c *Core) watched(id process.Identity, now process.Row, err error, at time.Time) {
	m := c.known[id.PID]
	if m == nil || m.Identity != id || m.dead {
		c.strangerWatched(id, now, err)
		return
	}
	switch {
	case err == nil && now.Identity == id:
		m.watched = true
		c.stir(m.tree) // what it did before is in the table
	case err == nil:
		// The PID went to another process between the read and the watch.
		c.bury(m, at)
		c.forgetMember(id.PID)
		c.ask(askUnwatch, m)
		c.stir(m.tree)
	case errors.Is(err, process.ErrGone):
		// Dead, or exiting and perhaps still in a fork: its row shows which.
		c.stir(m.tree)
	}
	// Any other error: the read on the beat tries again.
}

// probed takes the outcome of askProbe.
func (c *Core) probed(id process.Identity, now process.Row, err error, at time.Time) {
	m := c.known[id.PID]
	if m == nil || m.Identity != id {
		return
	}
	if errors.Is(err, process.ErrGone) || err == nil && (now.Identity != id || now.State == process.Zombie) {
		if c.mayAnnounce(m) {
			return
		}
		c.bury(m, at)
		c.stir(m.tree)
	}
}

// FailedSince returns why reads fail, if one that began after a number of reads
// failed.
func (c *Core) FailedSince(reads int) error {
	if c.failed > reads {
		return c.unreadable
	}
	return nil
}

// Verdict returns what is established about a tree, and why if that is nothing.
func (c *Core) Verdict(t *Tree) (trees.Verdict, error) {
	switch {
	case t.closed:
		return trees.Unknown, nil
	case c.unreadable != nil:
		return trees.Unknown, c.unreadable
	case t.living > 0:
		return trees.Alive, nil
	case t.emptied && t.Settled():
		return trees.Empty, nil
	case t.Settled():
		return trees.Unknown, c.hides(t)
	}
	return trees.Unknown, nil
}
