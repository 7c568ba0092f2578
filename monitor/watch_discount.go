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
	// mostLooks is how often the files of all processes are looked at for one answer.
	mostLooks = 6
	// looksTime is how long that may take.
	looksTime = 5 * time.Second
)

// heldByReleased reports whether the lease is held, and by released processes alone. The reason
// is why that is not known; it is empty where no process is released.
func (w *Watching) heldByReleased(ctx context.Context) (only bool, reason string) {
	if len(w.releasedNow()) == 0 {
		return false, ""
	}
	limited, done := context.WithTimeout(ctx, looksTime)
	defer done()
	d := discount{self: os.Getpid()}
	before, err := wholeTable()
	for range mostLooks {
		var g glimpse
		if err == nil {
			g, err = w.glimpse(limited, before)
		}
		if err != nil {
			return false, "released processes hold the lease, and whether others do cannot be found out: " + err.Error()
		}
		if only, reason = d.take(g); only || reason != "" {
			return only, reason
		}
		before = g.after
	}
	return false, "released processes hold the lease, and whether others do is not settled"
}

// glimpse looks once at the files of the processes of a table.
func (w *Watching) glimpse(ctx context.Context, before map[int]process.Process) (g glimpse, err error) {
	v := &Survey{store: w.runtime.store, live: make(map[process.Identity]process.Process, len(before))}
	for _, p := range before {
		v.live[p.Identity] = p
	}
	g.before = before
	if g.sighting, err = v.look(ctx, w.runtime.path(leaseFile)); err != nil {
		return g, err
	}
	if g.after, err = wholeTable(); err != nil {
		return g, err
	}
	g.released = w.releasedNow()
	g.elder = w.tree.Elders(slices.Collect(maps.Values(g.after)))
	self := func(pid int) bool { return pid == os.Getpid() } // it has the file open, to ask
	g.locked, g.opened = slices.DeleteFunc(g.locked, self), slices.DeleteFunc(g.opened, self)
	return g, nil
}

// releasedNow returns the released processes that the tracker or the journal knows.
func (w *Watching) releasedNow() map[process.Identity]bool {
	all := make(map[process.Identity]bool)
	for id := range w.journal.released {
		all[id] = true
	}
	for _, m := range w.tree.Released() {
		all[m.Identity] = true
	}
	return all
}

// wholeTable reads the live processes by their PIDs. It fails where the table hides some.
func wholeTable() (map[int]process.Process, error) {
	reader, err := process.OpenReader()
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	rows, err := reader.Read(nil)
	if err == nil {
		err = reader.Partial()
	}
	if err != nil {
		return nil, err
	}
	live := make(map[int]process.Process, len(rows))
	for _, p := range rows {
		if p.State != process.Zombie {
			live[p.PID] = p.Process
		}
	}
	return live, nil
}
