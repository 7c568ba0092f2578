package tracker

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// ErrVacant reports that a process cannot join a tree of which no member is known to live.
// Where one lives after all, or all are dead, [Tree.Changes] returns that.
var ErrVacant = core.ErrVacant

// ErrApart reports that a process cannot join a tree because it is a member of another one,
// which does not lie around that tree.
var ErrApart = core.ErrApart

// Join makes a member of a process that no link leads to the tree: a process from outside.
// When Join returns, it is watched, and the next Changes has it. What it makes from then on
// are members too. Strangers are processes that it has made before, or that are in a group or
// session of its making. They do not join with it.
//
// A process may belong to several trees of one tracker where they lie inside each other. A
// member of a tree around moves into this one, without what it has made. It is no error if the
// process is a member already. The error is [process.ErrGone] when it is dead or exiting,
// [ErrVacant], [ErrApart], or [ErrSelf] when it is the calling process. The tree is as it
// was then.
func (t *Tree) Join(ctx context.Context, id process.Identity, strangers []process.Identity) error {
	err := ctx.Err()
	if err == nil && id.PID == os.Getpid() {
		err = ErrSelf
	}
	if err == nil {
		called := t.tracker.call(func() { err = t.tracker.follower.Join(t.tree, id, strangers) })
		err = errors.Join(err, called)
	}
	if err != nil {
		return fmt.Errorf("have process %d join the tree of process %d: %w", id.PID, t.tree.Root().PID, err)
	}
	return nil
}
