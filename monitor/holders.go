package monitor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// Holders are the processes that hold the lease of a runtime, as far as they can be seen.
type Holders struct {
	// Found hold it, in the order of their PIDs. The calling process and the monitor of the
	// runtime are left out.
	Found []process.Process
	// Unseen is how many other processes there are whose files the caller may not see. Each
	// of them may hold the lease.
	Unseen int
}

// Holders looks for the processes that hold the lease of a runtime, and ends with ctx. The
// error says why that cannot be found out: macOS needs lsof(8) for it.
func (v *Survey) Holders(ctx context.Context, r *Runtime) (Holders, error) {
	seen, err := search(ctx, r.path(leaseFile), slices.Collect(maps.Values(v.live)))
	if err != nil {
		return Holders{}, fmt.Errorf("find the processes that hold the lease of runtime %q: %w", r.name, err)
	}
	found := Holders{Unseen: len(seen.unseen)}
	pids := seen.locked
	if len(pids) == 0 {
		pids = seen.opened // the system may show no lock
	}
	record, _ := r.Record()
	for _, pid := range pids {
		p, err := process.Lookup(pid)
		switch {
		case errors.Is(err, process.ErrGone), p.State == process.Zombie, pid == os.Getpid():
		case record.Monitor != nil && p.Identity == *record.Monitor:
		case err != nil:
			return Holders{}, err
		default:
			found.Found = append(found.Found, p)
		}
	}
	slices.SortFunc(found.Found, func(a, b process.Process) int { return cmp.Compare(a.PID, b.PID) })
	return found, nil
}

// A sighting is what a look at the files of processes has shown of a lease, by PIDs.
type sighting struct {
	locked []int // hold it
	opened []int // have its file open, and no lock of theirs is shown
	unseen []int // their files may not be seen, or changed during the look: each may hold it
	others []int // do not have it open; only where each process is looked at by itself
}
