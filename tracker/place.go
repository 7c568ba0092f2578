package tracker

import (
	"context"
	"time"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// A Place is what a tracker knows of the process that has a PID: its identity, and the tree
// that it is in. The zero Place is that of a process that is not known. Places can be
// compared. As long as a PID has the same one, the tracker knows of no other process with
// that PID, and of no other tree.
//
// A process has no place any more when the tracker has taken the notice of its end. The
// kernel frees the PID about then: for a moment, a later process with the PID has the place
// of the earlier one. A caller for which that matters makes sure that the process with
// the identity of the place is alive.
type Place struct {
	tracker *Tracker
	place   *core.Place
}

// PlaceOf returns the place of the process that has a PID. It takes no lock, waits for
// nothing and makes no garbage.
func (t *Tracker) PlaceOf(pid int) Place {
	if p := t.follower.PlaceOf(pid); p != nil {
		return Place{t, p}
	}
	return Place{}
}

// Known reports whether the process is known: as a member of a tree, or as one that is none
// although it descends from a member.
func (p Place) Known() bool { return p.place != nil }

// Identity returns that of the process. Its start time is zero where it is not known: the
// process is hidden, or it ended when it was about to be looked up.
func (p Place) Identity() process.Identity {
	if p.place == nil {
		return process.Identity{}
	}
	return p.place.Identity
}

// Parent returns the PID that its parent had when the process became known, or 0 where that
// is not kept.
func (p Place) Parent() int {
	if p.place == nil {
		return 0
	}
	return p.place.Parent
}

// Tree returns the nearest tree that the process is a member of. It takes no lock.
func (p Place) Tree() (tree *Tree, ok bool) {
	if found := p.place.Tree(); found != nil {
		return p.tracker.handleOf(found), true
	}
	return nil, false
}

// Around returns the next tree that contains this one. It takes no lock.
func (t *Tree) Around() (around *Tree, ok bool) {
	if found := t.tree.Around(); found != nil {
		return t.tracker.handleOf(found), true
	}
	return nil, false
}

// CatchUp returns when the tracker has taken all notices that the kernel had at the call.
// Where these name no child, and something is there that only the table shows, it returns when
// that has been read once. So it finds what a process that is not known yet belongs to.
//
// It waits for the goroutine of the tracker, which may be about to read the table. The error
// is that of ctx, or of a tracker that has ended.
func (t *Tracker) CatchUp(ctx context.Context) error {
	var restless *core.Tree
	var reads int
	err := t.callIn(ctx, func() {
		t.follower.Drain()
		if t.follower.Kernel.Forks() != process.ForksNamed {
			t.follower.Do(func(c *core.Core) { restless, reads = c.Restless(time.Now()) })
		}
	})
	if err != nil || restless == nil {
		return err
	}
	return t.await(ctx, restless, func(c *core.Core) (bool, error) {
		return restless.Reads() > reads || restless.Settled() || restless.Closed(), nil
	})
}
