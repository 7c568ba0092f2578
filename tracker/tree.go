package tracker

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// A Tree is a process and all that descends from it, as followed by a
// [Tracker]. Its methods may be called from any goroutine. There is one handle for
// each tree, so handles can be compared.
type Tree struct {
	tracker *Tracker
	tree    *core.Tree
	origin  origin // guarded by the follower's lock
	wake    func() // see Notify; guarded by the follower's lock
}

// An origin is how a tree began, which limits what is known of it.
type origin struct {
	late  bool   // the root may have had children before it was watched
	lease *lease // nil for none
}

// Root returns the process that the tree began with. It may be long dead.
func (t *Tree) Root() process.Identity { return t.tree.Root() }

// Members returns the live members, those of inner trees included, ordered by
// start time. The slice is the caller's.
//
// It reads nothing. The set of members, and the PID, start time and link of each, are
// as the tracker knows them now. The other fields of a member are those of the last read
// of the table that showed it: parent, group, session, user and state can be stale
// by any time while nothing happens that calls for a read, and where forks are named
// ([process.ForksNamed]) they are those of the fork or the last exec. [Tree.Check]
// reads the table anew.
func (t *Tree) Members() (members []trees.Member) {
	t.tracker.follower.Do(func(c *core.Core) { members = c.Members(t.tree) })
	return members
}

// Withheld counts the orphans of the machine that may not be asked whether they carry the
// mark of the tree, and which no other link leads to it. They are no members. It is 0 for a tree
// without a mark.
func (t *Tree) Withheld() (n int) {
	t.tracker.follower.Do(func(c *core.Core) { n = c.Withheld(t.tree) })
	return n
}

// Strangers returns the live processes that are known not to belong to the tree although
// a link would lead to them: for a [trees.History] of the same tree.
func (t *Tree) Strangers() (strangers []process.Identity) {
	t.tracker.follower.Do(func(c *core.Core) { strangers = c.Strangers(t.tree) })
	return strangers
}

// Verdict returns what is established about the tree at this moment. For
// [trees.Unknown] the error is the reason, or nil where reading has not settled yet.
func (t *Tree) Verdict() (v trees.Verdict, err error) {
	if err := t.tracker.failure(); err != nil {
		return trees.Unknown, err
	}
	t.tracker.follower.Do(func(c *core.Core) { v, err = t.verdict(c) })
	return v, err
}

// verdict is called with the follower's lock held.
func (t *Tree) verdict(c *core.Core) (trees.Verdict, error) {
	if t.tree.Closed() {
		return trees.Unknown, ErrClosed
	}
	v, err := c.Verdict(t.tree)
	switch {
	case v != trees.Empty:
		return v, err
	case t.origin.lease != nil && t.origin.lease.Held():
		return trees.Unknown, ErrLeaseHeld
	case t.origin.late:
		return trees.Unknown, ErrMayHaveMissed
	}
	return v, err
}

// final reports whether reading the table again adds nothing to a verdict.
func final(v trees.Verdict, err error) bool {
	return v != trees.Unknown || errors.Is(err, ErrMayHaveMissed) || errors.Is(err, ErrLeaseHeld)
}

// Check reads the table anew until it is settled and returns the verdict on
// the tree. The error is the reason of [trees.Unknown]. What the kernel had announced before
// the call is taken first, also where ctx ends during the reads.
func (t *Tree) Check(ctx context.Context) (trees.Verdict, error) {
	v, err := t.check(ctx)
	if err != nil {
		return trees.Unknown, fmt.Errorf("check the tree of process %d: %w", t.tree.Root().PID, err)
	}
	return v, nil
}

func (t *Tree) check(ctx context.Context) (v trees.Verdict, err error) {
	if err := ctx.Err(); err != nil {
		return trees.Unknown, err
	}
	var reads int
	var reason error
	err = t.tracker.call(func() {
		t.tracker.follower.Drain()
		reads = t.tracker.follower.Recheck(t.tree)
	})
	if err != nil {
		return trees.Unknown, err
	}
	err = t.tracker.await(ctx, t.tree, func(c *core.Core) (bool, error) {
		if v, reason = t.verdict(c); errors.Is(reason, ErrClosed) || t.tree.Settled() && reason != nil {
			return false, reason
		}
		return t.tree.Settled() && final(v, reason), c.FailedSince(reads)
	})
	if err == nil && v == trees.Unknown {
		err = reason
	}
	return v, err
}

// Wait returns nil when the tree is settled and empty, unless ctx has ended
// before the call. Until then nothing but the end of ctx, or Close of the tree or
// the tracker, makes it return: a table that cannot be read is waited for, and so is a
// lease that is held. For a tree that Track began, it returns [ErrMayHaveMissed] when no
// member is known any more.
func (t *Tree) Wait(ctx context.Context) error {
	return t.tracker.await(ctx, t.tree, func(c *core.Core) (bool, error) {
		v, err := t.verdict(c)
		if !errors.Is(err, ErrClosed) && !errors.Is(err, ErrMayHaveMissed) {
			err = nil
		}
		return v == trees.Empty, err
	})
}

// Changes returns what has happened to the tree since the last call, waiting
// until there is something. The first call returns a [trees.Joined] for each live
// member. [trees.Emptied] is what the table shows: the lease of a tree that Start began
// may still be held. One goroutine calls it; the slice is the caller's. A call with a context
// that has ended takes nothing.
func (t *Tree) Changes(ctx context.Context) (changes []trees.Change, err error) {
	err = t.tracker.await(ctx, t.tree, func(c *core.Core) (bool, error) {
		changes = c.Changes(t.tree)
		if len(changes) == 0 && t.tree.Closed() {
			return false, ErrClosed
		}
		return len(changes) > 0, nil
	})
	return changes, err
}

// Signal sends a signal to each live member that is known now, to the identity and not
// to the PID ([process.Identity.Signal]). Members that have ended meanwhile are no error;
// the error joins those of the others. Members that join later get nothing: a caller that
// ends a tree calls it again until the tree is empty.
func (t *Tree) Signal(sig syscall.Signal) error {
	by, err := process.OpenSender()
	if err != nil {
		return err
	}
	defer by.Close()
	var failed []error
	for _, m := range t.Members() {
		if err := by.Signal(m.Identity, sig); !errors.Is(err, process.ErrGone) {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// Close ends following the tree. Trees inside it go on. A tree that ended with
// its tracker is closed already.
func (t *Tree) Close() error {
	err := t.tracker.call(func() {
		t.tracker.follower.Do(func(c *core.Core) {
			c.Drop(t.tree)
			delete(t.tracker.handles, t.tree)
		})
	})
	if t.origin.lease != nil {
		t.origin.lease.Close()
	}
	if errors.Is(err, ErrClosed) {
		return nil
	}
	return err
}
