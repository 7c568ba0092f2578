package resident

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// An Outcome is what became of a runtime when a resident looked after it.
type Outcome string

const (
	// Taken: it had no monitor, and the resident watches it now. Where no process of it
	// lives, the resident is removing it, or making it idle.
	Taken Outcome = "taken over"
	// Watched: it has a monitor.
	Watched Outcome = "watched"
	// Begins: it is just being started.
	Begins Outcome = "starting"
	// Idle: it is durable and empty, and there is nothing to watch.
	Idle Outcome = "idle"
	// Left: it cannot be watched here, for a reason. It stays as it is.
	Left Outcome = "left"
)

// A Finding is what a resident found of one runtime.
type Finding struct {
	Name    string  `json:"name"`
	Outcome Outcome `json:"outcome"`
	Reason  string  `json:"reason,omitempty"`
}

// atOnce is how many runtimes are taken over at the same time. They share reads of the
// process table.
const atOnce = 64

// adopt takes over every runtime of the store that has no monitor. The error is
// [errLeaving] where the resident ends meanwhile.
func (w *watches) adopt(s *monitor.Store) ([]Finding, error) {
	names, err := s.Names()
	if err != nil {
		return nil, err
	}
	found := make([]Finding, len(names))
	turns := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i, name := range names {
		turns <- struct{}{}
		all.Go(func() {
			defer func() { <-turns }()
			found[i] = w.adoptOne(s, name)
		})
	}
	all.Wait()
	if w.leaves() {
		return nil, errLeaving
	}
	return slices.DeleteFunc(found, func(f Finding) bool { return f.Name == "" }), nil
}

// adoptOne returns the zero Finding where the runtime was removed meanwhile.
func (w *watches) adoptOne(s *monitor.Store, name string) Finding {
	r, err := s.Runtime(name)
	var record monitor.Record
	if err == nil {
		record, err = r.Record()
	}
	if err == nil {
		if record.State == monitor.StateIdle {
			return Finding{Name: name, Outcome: Idle}
		}
		if begins(record) {
			return Finding{Name: name, Outcome: Begins}
		}
		if one := w.find(key{name, record.Owner}); one != nil {
			if <-one.begun; one.err == nil {
				return Finding{Name: name, Outcome: Watched}
			}
		}
		_, err = w.begin(r, record.Owner, false)
	}
	switch {
	case err == nil:
		w.log.Info("took over a runtime", "runtime", name)
		return Finding{Name: name, Outcome: Taken}
	case errors.Is(err, monitor.ErrNotExist):
		return Finding{}
	case errors.Is(err, monitor.ErrWatched):
		return Finding{Name: name, Outcome: Watched}
	case errors.Is(err, errLeaving):
		return Finding{}
	case errors.Is(err, monitor.ErrIdle):
		return Finding{Name: name, Outcome: Idle}
	}
	w.log.Warn("a runtime stays without a monitor", "runtime", name, "error", err)
	return Finding{Name: name, Outcome: Left, Reason: fmt.Sprint(err)}
}

// begins reports whether the owner of a runtime has not had it watched yet, and lives.
func begins(r monitor.Record) bool {
	if r.State != monitor.StateStarting || r.Monitor != nil {
		return false
	}
	p, err := process.Lookup(r.Owner.PID)
	return err != nil && !errors.Is(err, process.ErrGone) || err == nil && p.Identity == r.Owner && p.State != process.Zombie
}

func (w *watches) find(k key) *watch {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all[k]
}

// together returns the findings of two adoptions, the second soon after the first, as those
// of one.
func together(first, second []Finding) []Finding {
	all := make(map[string]Finding, len(second))
	for _, f := range second {
		all[f.Name] = f
	}
	for _, f := range first {
		now, there := all[f.Name]
		if f.Outcome == Taken && (!there || now.Outcome == Watched || now.Outcome == Idle) {
			all[f.Name] = f
		}
	}
	both := slices.AppendSeq([]Finding{}, maps.Values(all))
	slices.SortFunc(both, func(a, b Finding) int { return cmp.Compare(a.Name, b.Name) })
	return both
}
