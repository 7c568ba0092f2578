package monitor

import (
	"context"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
)

const (
	// mostRounds is how many rounds one answer may take.
	mostRounds = 16
	// roundsTime is how long they may take.
	roundsTime = 10 * time.Second
)

// heldByReleased reports whether the lease is held, and by no process but released ones. The
// reason is why that is not known; it is empty where no process is released.
func (w *Watching) heldByReleased(ctx context.Context) (only bool, reason string) {
	if len(w.journal.released) == 0 && len(w.tree.Released()) == 0 {
		return false, ""
	}
	limited, done := context.WithTimeout(ctx, roundsTime)
	defer done()
	d := &discount{self: os.Getpid(), looked: make(map[process.Identity]bool)}
	before, err := w.countHeads()
	for round := 0; round < mostRounds && err == nil && limited.Err() == nil; round++ {
		suspects := d.suspects(before)
		var seen sighting
		if len(suspects) > 0 {
			seen, err = search(limited, w.runtime.path(leaseFile), suspects)
		}
		var after headcount
		if err == nil {
			after, err = w.countHeads()
		}
		if err != nil {
			break
		}
		if only, reason = d.take(before, suspects, seen, after); only || reason != "" {
			return only, reason
		}
		before = after
	}
	if err != nil {
		return false, "released processes hold the lease, and whether others do cannot be found out: " + err.Error()
	}
	return false, "released processes hold the lease, and whether others do is not settled, since processes end too fast"
}

// countHeads reads the process table. It fails where that hides processes.
func (w *Watching) countHeads() (headcount, error) {
	h := headcount{rows: make(map[int]process.Process)}
	reader, err := process.OpenReader()
	if err != nil {
		return h, err
	}
	defer reader.Close()
	rows, err := reader.Read(nil)
	if err == nil {
		err = reader.Partial()
	}
	if err != nil {
		return h, err
	}
	for _, p := range rows {
		if p.State != process.Zombie {
			h.rows[p.PID] = p.Process
		}
	}
	h.outside = w.tree.Outside(slices.Collect(maps.Values(h.rows)))
	for id := range w.journal.released {
		h.outside[id] = true
	}
	return h, nil
}
