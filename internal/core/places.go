package core

import (
	"sync/atomic"

	"github.com/gemini-monitor/gemini/internal/pidtable"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// What the core knows of a PID is published: a goroutine that asks for it needs no lock,
// and does not wait for the one that applies a read of the table. The core notes which
// PIDs a step changes, and the follower publishes these when it releases its lock.

// A Place is what is known of the process that has a PID. It is not changed: where more is
// known, or the process has died, the PID has another place or none. So the same place
// means the same process in the same tree.
type Place struct {
	process.Identity
	// Parent is the PID of its parent when it became known, or 0.
	Parent int
	// Within is the tree that the process is in, or is a stranger to.
	Within *Tree
	// Stranger means that the process is not in the tree, although its parent is.
	Stranger bool
}

// Tree returns the nearest tree that the process is a member of, or nil.
func (p *Place) Tree() *Tree {
	switch {
	case p == nil || p.Within == nil:
		return nil
	case p.Stranger:
		return p.Within.Around()
	}
	return p.Within.Counting()
}

// same reports whether two places are those of the same process in the same tree.
func (p *Place) same(o *Place) bool {
	return p.Identity == o.Identity && p.Within == o.Within && p.Stranger == o.Stranger
}

// A face is what others may see of a tree without the lock.
type face struct {
	outer  atomic.Pointer[Tree]
	handle atomic.Value
}

// Handle returns what a caller has attached to the tree. The first time it is what make
// returns. It may be called without the lock.
func (t *Tree) Handle(make func() any) any {
	if h := t.face.handle.Load(); h != nil {
		return h
	}
	t.face.handle.CompareAndSwap(nil, make())
	return t.face.handle.Load()
}

// Counting returns the nearest tree for which the processes of a tree count, or nil. It may
// be called without the lock.
func (t *Tree) Counting() *Tree {
	for t != nil && t.from != nil {
		t = t.face.outer.Load()
	}
	return t
}

// Around returns the next tree that contains this one, or nil. It may be called without the
// lock.
func (t *Tree) Around() *Tree { return t.face.outer.Load().Counting() }

// lie sets the next tree that contains this one.
func (t *Tree) lie(outer *Tree) {
	t.outer = outer
	t.face.outer.Store(outer)
}

// setStranger makes a stranger of a process.
func (c *Core) setStranger(s *stranger) {
	c.strangers[s.PID] = s
	c.moves(s.PID)
}

// forgetStranger forgets that a process is one.
func (c *Core) forgetStranger(pid int) {
	if _, ok := c.strangers[pid]; ok {
		delete(c.strangers, pid)
		c.moves(pid)
	}
}

// moves notes that the place of a PID may have changed.
func (c *Core) moves(pid int) {
	if c.places != nil {
		c.moved = append(c.moved, pid)
	}
}

// publish publishes the places that have changed.
func (c *Core) publish() {
	for _, pid := range c.moved {
		is := c.placeOf(pid)
		if was := c.places.Load(pid); was == nil || is == nil || !was.same(is) {
			c.places.Store(pid, is)
		}
	}
	c.moved = c.moved[:0]
}

// placeOf returns the place of a PID as things are.
func (c *Core) placeOf(pid int) *Place {
	if m := c.known[pid]; m != nil && !m.dead && !m.exited {
		return &Place{Identity: m.Identity, Parent: m.Parent, Within: m.tree}
	}
	if s := c.strangers[pid]; s != nil {
		return &Place{Identity: s.Identity, Within: s.tree, Stranger: true}
	}
	for _, id := range c.apart {
		if id.PID == pid {
			return &Place{Identity: id}
		}
	}
	return nil
}

// Publish has the follower publish places from now on. It is called before a tree is begun.
func (f *Follower) Publish() {
	f.mu.Lock()
	defer f.unlock()
	f.core.places = new(pidtable.Table[Place])
}

// PlaceOf returns what is published of a PID, or nil. It waits for nothing.
func (f *Follower) PlaceOf(pid int) *Place { return f.core.places.Load(pid) }

// unlock publishes what the holder of the lock has changed, and releases it.
func (f *Follower) unlock() {
	if f.core.places != nil {
		f.core.publish()
	}
	f.mu.Unlock()
}
