package monitor

import (
	"slices"
	"sync"
	"time"

	"github.com/gemini-monitor/gemini/tracker/trees"
)

// Counts count what the monitors of a process have seen. One may be shared by all runtimes
// that the process watches. The zero value is ready for use.
type Counts struct {
	mu  sync.Mutex
	now Counted
}

// Counted is what was counted since a [Counts] began.
type Counted struct {
	// Joined and Left are how many processes became members of a runtime, with those that
	// an earlier monitor knew and that live, and how many of them have ended.
	Joined int `json:"joined"`
	Left   int `json:"left"`
	// Unknown is how often it became unknown whether a runtime has members.
	Unknown int `json:"unknown"`
	// Gone is how long runtimes that were removed were there after the report of their
	// last exit.
	Gone Delays `json:"gone"`
}

// Delays is a histogram of times.
type Delays struct {
	// Counts has the number of times that are as long as a bound of [DelayBounds] at
	// most, and longer than the bound before. The last one has those that are longer than
	// all. It is empty where no time was counted.
	Counts []int `json:"counts,omitempty"`
	// Seconds is the sum of all times.
	Seconds float64 `json:"seconds"`
}

// DelayBounds are the bounds of [Delays] in seconds.
var DelayBounds = []float64{.001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 5, 60}

// Counted returns what was counted so far.
func (c *Counts) Counted() Counted {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now
	now.Gone.Counts = slices.Clone(now.Gone.Counts)
	return now
}

// do changes the counts. The nil Counts count nothing.
func (c *Counts) do(change func(*Counted)) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.now)
}

func (d *Delays) add(t time.Duration) {
	if d.Counts == nil {
		d.Counts = make([]int, len(DelayBounds)+1)
	}
	at, _ := slices.BinarySearch(DelayBounds, t.Seconds())
	d.Counts[at]++
	d.Seconds += t.Seconds()
}

// countChanges counts members that joined and left.
func (w *Watching) countChanges(changes []trees.Change) {
	w.counts.do(func(c *Counted) {
		for _, change := range changes {
			switch change.Kind {
			case trees.Joined:
				c.Joined++
			case trees.Left:
				c.Left++
				w.lastExit = change.Time
			}
		}
	})
}

// countStatement counts that the runtime has become unknown. It is called before the record
// is changed.
func (w *Watching) countStatement(says statement) {
	if says.state == StateUnknown && w.record.State != StateUnknown {
		w.counts.do(func(c *Counted) { c.Unknown++ })
	}
}

// countRemoval counts that the runtime has got out of its place.
func (w *Watching) countRemoval() {
	if w.lastExit.IsZero() {
		return // no monitor of this process saw the last exit
	}
	w.counts.do(func(c *Counted) { c.Gone.add(time.Since(w.lastExit)) })
}
