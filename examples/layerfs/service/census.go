package service

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/monitor/resident"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// A census knows which residents watch all runtimes that have layers. One that has begun anew
// may not have taken over all of them: to it, a process of such a runtime is a member of none, or
// of the runtime around. It keeps those that it has and gets those that are begun, so each
// resident is looked at until it has all.
type census struct {
	mu  sync.Mutex
	all map[process.Identity]bool // residents that watch all
}

// A doubt is a runtime that the resident does not watch.
type doubt struct {
	name  string
	marks []string // its own, and those of the runtimes around it; none where they are not known
	why   error
}

// within reports whether the runtime may be inside the one with a mark, or, without a mark,
// anywhere.
func (d doubt) within(mark string) bool {
	return mark == "" || len(d.marks) == 0 || slices.Contains(d.marks, mark)
}

// check returns an error where an answer may be about a process of a runtime that the resident
// does not watch. The mark is that of the runtime of the answer, none for that of a stranger.
func (c *census) check(s *monitor.Store, a resident.Answer, mark string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all[a.By] {
		return nil
	}
	doubts, err := unwatched(s, a.By)
	if err != nil {
		return err
	}
	if len(doubts) == 0 {
		if c.all == nil {
			c.all = make(map[process.Identity]bool)
		}
		c.all[a.By] = true
	}
	for _, d := range doubts {
		if d.within(mark) {
			return fmt.Errorf("process %d, the resident monitor, does not watch runtime %q: %w", a.By.PID, d.name, d.why)
		}
	}
	return nil
}

// errOther reports a runtime that another process watches, or none.
var errOther = errors.New("another process does, or none")

// unwatched returns the runtimes with layers that a resident does not watch. One that no
// monitor has watched yet has no command.
func unwatched(s *monitor.Store, by process.Identity) (doubts []doubt, err error) {
	names, err := s.Names()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		r, err := s.Runtime(name)
		var record monitor.Record
		if err == nil && !hasPayload(r) {
			continue
		}
		if err == nil {
			record, err = r.Record()
		}
		switch {
		case errors.Is(err, monitor.ErrNotExist):
		case err != nil:
			doubts = append(doubts, doubt{name: name, why: err})
		case record.State == monitor.StateIdle || record.Monitor == nil || *record.Monitor == by:
		default:
			doubts = append(doubts, doubt{name, record.Marks, errOther})
		}
	}
	return doubts, nil
}
