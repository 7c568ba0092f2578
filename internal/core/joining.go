package core

import (
	"errors"
	"fmt"
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// A process from outside joins a tree when a caller names it: no other link leads from the
// one to the other. It counts like a member that the root has made, and what it makes from
// then on counts too. What it has made before are strangers.

// ErrVacant reports that a tree has no member of which it is known that it lives. Whether it
// has one, a change of the tree shows later.
var ErrVacant = errors.New("no member of the tree is known to live")

// ErrApart reports that a process belongs to a tree that does not lie around the one that it
// is to join. Of two trees with a common member one lies inside the other.
var ErrApart = errors.New("the process belongs to a tree that does not lie around this one")

// Join makes a member of a process that no link leads to the tree. It is watched when Join
// returns. Strangers are processes that do not join with it, although a link leads from them
// to it. They are there already.
//
// It is no error if the process is a member. The error is [process.ErrGone] where it is dead
// or exiting, [ErrVacant] or [ErrApart]. Nothing has changed then.
func (f *Follower) Join(t *Tree, id process.Identity, strangers []process.Identity) error {
	f.answer() // an earlier ask to stop watching this PID must not come after
	if err := f.drain(0); err != nil {
		return err
	}
	p, err := f.living(id)
	if err != nil {
		return err
	}
	known := false
	f.Do(func(c *Core) { known = c.knows(id) })
	if !known && f.Kernel.Forks() != process.ForksNamed {
		// A member of another tree may have made it since the last read. Where this one fails,
		// that stays unknown.
		if err := f.readOnce(); err != nil {
			return err
		}
	}
	f.Do(func(c *Core) { known, err = c.mayJoin(t, id) })
	if err != nil {
		return err
	}
	if shell, found := f.jobShell(p); found {
		strangers = append(strangers[:len(strangers):len(strangers)], shell)
	}
	again, err := f.watch(id)
	switch {
	case err != nil:
		return err
	case again.Identity != id || again.State == process.Zombie:
		if !known {
			f.Kernel.Remove(id.PID)
		}
		return process.ErrGone
	}
	f.Do(func(c *Core) { c.enter(t, p, strangers, f.now()) })
	return nil
}

// living returns the row of a process that is neither dead nor exiting.
func (f *Follower) living(id process.Identity) (process.Row, error) {
	p, err := f.Kernel.Lookup(id.PID)
	if err == nil && (p.Identity != id || p.State == process.Zombie || p.State == process.Exiting) {
		err = process.ErrGone
	}
	return p, err
}

// jobShell returns the parent of a process that leads a group; see [Core.jobShell].
func (f *Follower) jobShell(p process.Row) (process.Identity, bool) {
	if f.core.forks != process.ForksAnnounced || p.Group != p.PID || p.Parent <= 1 {
		return process.Identity{}, false
	}
	parent, err := f.Kernel.Lookup(p.Parent)
	return parent.Identity, err == nil
}

// mayJoin returns why a live process cannot join a tree, if it cannot, and whether it is a
// member of one.
func (c *Core) mayJoin(t *Tree, id process.Identity) (known bool, err error) {
	known = c.knows(id)
	switch {
	case t.closed:
		return known, fmt.Errorf("the tree is not followed any more: %w", ErrVacant)
	case c.apartFromAll(id):
		return known, ErrApart
	case t.living == t.leaving:
		return known, ErrVacant
	case known && !c.known[id.PID].tree.within(t) && !t.within(c.known[id.PID].tree):
		return known, ErrApart
	}
	return known, nil
}

// knows reports whether a process is a live member of a tree.
func (c *Core) knows(id process.Identity) bool {
	m := c.known[id.PID]
	return m != nil && m.Identity == id && m.alive() && !m.exited
}

// enter makes a member of a process that is watched and may join. A member of a tree around
// moves into this one, alone.
func (c *Core) enter(t *Tree, p process.Row, strangers []process.Identity, now time.Time) {
	c.freshen(now)
	link := trees.Link{Kind: trees.LinkJoin}
	m := c.known[p.PID]
	switch {
	case m == nil || m.Identity != p.Identity || !m.alive():
		c.join(p, link, nil, t, now).watched = true
	case m.tree.within(t):
		return
	default:
		m.Link, m.via, m.watched = link, nil, true
		c.moveInto(m, t)
	}
	c.disown(t, strangers)
	c.stir(t) // its children may be there
}
