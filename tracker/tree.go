package tracker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// A Tree is a process and all that descends from it, as followed by a
// [Tracker]. Its methods may be called from any goroutine.
type Tree struct {
	tracker *Tracker
	tree    *tree
}

// Root returns the process that the tree began with. It may be long dead.
func (t *Tree) Root() process.Identity { return t.tree.root }

// Members returns the live members, those of inner trees included, ordered by
// start time. The slice is the caller's.
func (t *Tree) Members() []trees.Member {
	f := &t.tracker.follower
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.core.members(t.tree)
}

// Verdict returns what is established about the tree at this moment. For
// [trees.Unknown] the error says why, or is nil where reading has not settled yet.
func (t *Tree) Verdict() (trees.Verdict, error) {
	if err := t.tracker.failure(); err != nil {
		return trees.Unknown, err
	}
	f := &t.tracker.follower
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.core.verdict(t.tree)
}

// Check reads the table anew until it is settled and returns the verdict on
// the tree. The error says why the verdict is [trees.Unknown].
func (t *Tree) Check(ctx context.Context) (trees.Verdict, error) {
	if err := ctx.Err(); err != nil {
		return trees.Unknown, fmt.Errorf("check the tree of process %d: %w", t.tree.root.PID, err)
	}
	var reads int
	err := t.tracker.call(func() {
		t.tracker.follower.tell(func(c *core) {
			c.freshen()
			c.stir(t.tree)
			t.tree.emptied = false
			reads = c.reads
		})
	})
	if err != nil {
		return trees.Unknown, err
	}
	return t.settle(ctx, reads)
}

// settle waits until the tree is settled. Only reads after a given number of
// them count.
func (t *Tree) settle(ctx context.Context, reads int) (v trees.Verdict, err error) {
	err = t.tracker.await(ctx, func(c *core) (bool, error) {
		if t.tree.closed {
			return false, ErrClosed
		}
		v, _ = c.verdict(t.tree)
		return t.tree.settled() && v != trees.Unknown, c.failedSince(reads)
	})
	if err != nil {
		return trees.Unknown, fmt.Errorf("check the tree of process %d: %w", t.tree.root.PID, err)
	}
	return v, nil
}

// Wait returns nil when the tree is settled and empty, unless ctx has ended
// before the call. Until then nothing but the end of ctx, or Close of the tree or
// the tracker, makes it return: a table that cannot be read is waited for.
func (t *Tree) Wait(ctx context.Context) error {
	return t.tracker.await(ctx, func(c *core) (bool, error) {
		v, err := c.verdict(t.tree)
		if !errors.Is(err, ErrClosed) {
			err = nil
		}
		return v == trees.Empty, err
	})
}

// Changes returns what has happened to the tree since the last call, waiting
// until there is something. The first call returns a [trees.Joined] for each live
// member. One goroutine calls it; the slice is the caller's. A call with a context
// that has ended takes nothing.
func (t *Tree) Changes(ctx context.Context) (changes []trees.Change, err error) {
	err = t.tracker.await(ctx, func(c *core) (bool, error) {
		changes = c.changes(t.tree)
		if len(changes) == 0 && t.tree.closed {
			return false, ErrClosed
		}
		return len(changes) > 0, nil
	})
	return changes, err
}

// Close ends following the tree. Trees inside it go on. A tree that ended with
// its tracker is closed already.
func (t *Tree) Close() error {
	err := t.tracker.call(func() {
		t.tracker.follower.tell(func(c *core) { c.drop(t.tree) })
	})
	if errors.Is(err, ErrClosed) {
		return nil
	}
	return err
}

// members returns the live members of a tree, oldest first.
func (c *core) members(t *tree) (members []trees.Member) {
	for _, m := range c.known {
		if m.alive() && m.tree.within(t) {
			members = append(members, m.Member)
		}
	}
	slices.SortFunc(members, func(a, b trees.Member) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.PID, b.PID))
	})
	return members
}

// changes takes what has been logged since the last call.
func (c *core) changes(t *tree) []trees.Change {
	if !t.logging {
		t.logging = true
		c.recount(t)
	}
	changes := t.log
	t.log = nil
	return changes
}

// recount writes the present members to the log of a tree.
func (c *core) recount(t *tree) {
	for _, m := range c.members(t) {
		t.log = append(t.log, trees.Change{Kind: trees.Joined, Member: m, Time: m.Joined})
	}
	if t.told {
		t.log = append(t.log, trees.Change{Kind: trees.Emptied, Time: c.lastRead})
	}
}
