package monitor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/gemini-monitor/gemini/internal/mark"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// A Counter has the monitor of a runtime count the calling process as a member, for the
// runtime of an owner. Strangers do not join with it: see [Newcomer]. It returns when the
// process is watched, or why it is not.
type Counter func(ctx context.Context, owner process.Identity, strangers []process.Identity) error

// Join makes the calling process a member of the runtime, and turns the process into a
// program: same PID, terminal and process group. It has the environment that [Store.Run]
// gives. The lease is taken first, then the monitor counts the process, and only then the
// program begins: a runtime that was there when the monitor answered stays while the process
// lives.
//
// Join returns only where it fails. Then the process may count until it ends. The error is
// [ErrNotExist], [ErrBroken], [ErrElsewhere], that of the counter, a [ToldError] or an
// [os.PathError] of "exec". The keeper of the program is not used. Signals are as for
// [Store.Run].
func (r *Runtime) Join(p Program, count Counter) error {
	told := newEar()
	err := r.join(told, p, count)
	if ended := told.close(); ended != nil {
		return ended // which also explains err
	}
	return err
}

func (r *Runtime) join(told *ear, p Program, count Counter) error {
	ctx, done := withPatience(told, p.Patience)
	defer done()
	record, err := r.Record()
	if err != nil {
		return err
	}
	if err := record.visible(); err != nil {
		return r.wrap(fmt.Errorf("%w: %w", ErrRefused, err))
	}
	if record.State == StateIdle {
		return r.wrap(fmt.Errorf("%w: it %w; \"monitor run --name %s\" runs it again", ErrRefused, ErrIdle, r.name))
	}
	lease, err := r.takeLease(ctx)
	if err != nil {
		return err
	}
	defer lease.Close()
	if err := count(ctx, record.Owner, kin()); err != nil {
		return err
	}
	if named, err := r.names(lease); !named {
		return errors.Join(err, r.wrap(ErrNotExist)) // another has the name since
	}
	p.marks = marksWithin(mark.Of(os.Environ()), record.Marks)
	return r.exec(told, lease, p)
}

// takeLease takes the lease of the runtime for the calling process. It waits while the monitor
// holds it to find out whether any other process does.
func (r *Runtime) takeLease(ctx context.Context) (*os.File, error) {
	for patience := quickLook; ; patience = min(2*patience, time.Second) {
		lease, err := holdLease(r.Dir())
		if err == nil {
			return lease, nil
		}
		if _, gone := r.Record(); errors.Is(gone, ErrNotExist) {
			return nil, gone
		}
		if errors.Is(err, errHeldAlone) {
			if sleep(ctx, patience) == nil {
				continue
			}
			err = fmt.Errorf("%w: %w", err, context.Cause(ctx))
		}
		return nil, r.wrap(fmt.Errorf("%w: %w", ErrRefused, err))
	}
}

// names reports whether an open file is the lease of the runtime that has the name now.
func (r *Runtime) names(lease *os.File) (bool, error) {
	opened, err := lease.Stat()
	if err != nil {
		return false, err
	}
	named, err := os.Stat(r.path(leaseFile))
	return err == nil && os.SameFile(opened, named), nil
}

// marksWithin returns the marks of a process that has become a member of a runtime: those that
// it had, and then those of the runtime. One that was a member has them already.
func marksWithin(had, marks []string) []string {
	if len(marks) == 0 || slices.Contains(had, marks[len(marks)-1]) {
		return had
	}
	others := slices.DeleteFunc(slices.Clone(had), func(m string) bool { return slices.Contains(marks, m) })
	return mark.Parse(mark.Value(append(others, marks...)))
}

// mostKin is how many processes a newcomer names at most. More would not fit into a request.
// Those beyond may count.
const mostKin = 256

// kin returns what the calling process has made before it joins a runtime: the processes that
// descend from it, and those in a group or session that it leads. Where the table cannot be
// read there are none, and all that it has made count.
func kin() []process.Identity {
	rows, err := process.Table()
	if err != nil {
		return nil
	}
	found := kinOf(os.Getpid(), rows)
	return found[:min(len(found), mostKin)]
}

// kinOf returns the kin of the process with a PID, the nearest first.
func kinOf(pid int, rows []process.Process) (found []process.Identity) {
	seen := map[int]bool{pid: true}
	take := func(joins func(process.Process) bool) (pids []int) {
		for _, p := range rows {
			if !seen[p.PID] && p.State != process.Zombie && joins(p) {
				seen[p.PID] = true
				found, pids = append(found, p.Identity), append(pids, p.PID)
			}
		}
		return pids
	}
	for below := []int{pid}; len(below) > 0; {
		below = take(func(p process.Process) bool { return slices.Contains(below, p.Parent) })
	}
	take(func(p process.Process) bool { return p.Group == pid || p.Session == pid })
	return found
}
