package tracker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/internal/mark"
)

// Start starts a command and follows its tree. The command begins to run only when
// its process is watched, so that no child of it can be missed because it was made too
// early. The caller calls cmd.Wait afterwards, as after cmd.Start; whether it has done
// so makes no difference to the tree.
//
// The command inherits one descriptor more, which comes after those of
// cmd.ExtraFiles: the lease of the tree. Processes of the tree that the process table
// does not show hold it, so that [Tree.Wait] waits for them, too. It has one environment
// variable more, MONITOR_MARK, from which an orphan that closed the lease is known. The
// fields of cmd are as before when Start returns.
//
// On Linux the process is stopped by ptrace(2) at the first instruction of its program,
// and then detached: nothing is different for the command. A program with set-user-ID,
// set-group-ID or capabilities is started through bash instead, and so is every one
// where ptrace is refused, and on macOS. Bash adds SHLVL=0 where there was none, has
// values of its own for variables like UID and RANDOM, drops _, and runs a file that has
// no format as a script; an exec that fails is reported by exit codes 126 and 127 then, not by
// Start.
//
// When Start returns an error, no command is running; if its process was made, it
// was killed and waited for. Errors are those of cmd.Start and of [Tracker.Track].
func (t *Tracker) Start(ctx context.Context, cmd *exec.Cmd) (*Tree, error) {
	tree, err := t.start(ctx, cmd)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	return tree, nil
}

func (t *Tracker) start(ctx context.Context, cmd *exec.Cmd) (*Tree, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	lease, held, err := newLease()
	if err != nil {
		return nil, err
	}
	marks := mark.Inside(cmd.Environ())
	release, err := startLeased(cmd, held, marks)
	if err != nil {
		return nil, errors.Join(err, lease.Close())
	}
	origin := origin{lease: lease}
	tree, err := t.begin(ctx, origin, func() (*core.Tree, error) { return t.follower.Track(cmd.Process.Pid, marks...) })
	if err != nil {
		lease.Close()
		return nil, errors.Join(err, abandon(cmd, release))
	}
	if err := release(); err != nil {
		return nil, errors.Join(err, abandon(cmd, release), tree.Close())
	}
	lease.watch(func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.follower.Do(func(c *core.Core) { t.endWaitsOn(tree.tree, c) })
	})
	return tree, nil
}

// startLeased starts a command that does not run yet and has a lease and marks. The lease
// is closed here.
func startLeased(cmd *exec.Cmd, held *os.File, marks []string) (release func() error, err error) {
	defer held.Close()
	files, environment := cmd.ExtraFiles, cmd.Env
	defer func() { cmd.ExtraFiles, cmd.Env = files, environment }()
	cmd.ExtraFiles = append(slices.Clip(files), held)
	cmd.Env = mark.Set(cmd.Environ(), marks)
	return startHeld(cmd)
}

// abandon ends a command that has not begun.
func abandon(cmd *exec.Cmd, release func() error) error {
	err := cmd.Process.Kill()
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	_ = release() // it is dead
	_ = cmd.Wait()
	return err
}
