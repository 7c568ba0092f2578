package router

import (
	"sync/atomic"

	"github.com/gemini-monitor/gemini/tracker"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// A seat is the answer for one process or thread, remembered. It holds as long as that one
// is alive, which its guard shows, and the tracker has learnt nothing else of the process.
// What it says is not changed.
type seat struct {
	pid   int // as the caller gives it; of a thread, perhaps
	lead  int // the PID of the process
	start process.StartTime
	place tracker.Place // of the process, when it was found
	tree  *tracker.Tree // nil for a process of no tree
	// walked means that the tree was found by the ancestors. Then the seat holds only
	// until the next change that a caller asks for.
	walked bool
	epoch  uint64
	guard  guard

	slot int         // on the shelf
	used atomic.Bool // since the shelf looked
}

// use notes that the seat is in use. It writes only if that is new: a process that writes to
// memory that others read makes them slow.
func (s *seat) use() {
	if !s.used.Load() {
		s.used.Store(true)
	}
}

// holds reports whether a seat that was found in the table answers for the process that has
// the PID now. The guard is looked at before the table: its descriptor can be that of another
// process once the seat was taken out.
func (r *Router[V]) holds(s *seat) bool {
	return r.tracker.PlaceOf(s.lead) == s.place &&
		(!s.walked || s.epoch == r.epoch.Load()) &&
		r.guards.alive(&s.guard) &&
		r.shelf.seats.Load(s.pid) == s
}
