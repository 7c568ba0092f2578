//go:build darwin || linux

package harness

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/gemini-monitor/gemini/harness/internal/terminal"
)

// An Event is one entry of a timeline.
type Event struct {
	Time  time.Time
	Took  time.Duration // 0 for a moment
	PID   int           // of the process that the event is about, or 0
	Track string        // name of its recorder: a puppet, a terminal, a job, an observer
	What  string
	Life  Life
	// Parent is the PID of the parent if Life is Begins, or 0 if it is unknown.
	Parent int

	self   bool   // Track is the name of process PID
	open   bool   // begun and not ended
	stream stream // set if What is input or output of a terminal or a job
}

// A Life is the effect of an Event on the life of its process, as its recorder
// knows it.
type Life int

// Begins and Ends mark the first and the last event of a process. The zero value marks
// neither.
const (
	Begins Life = iota + 1
	Ends
)

// A stream is where bytes pass.
type stream int

const (
	typed      stream = iota + 1 // at a terminal
	shown                        // by a terminal
	written                      // by a job, to standard output or to both
	complained                   // by a job with Apart, to standard error
)

// sign returns the sign of a stream in the report.
func (s stream) sign() string { return [...]string{"", ">", "<", "<", "!"}[s] }

// place returns the name of a stream's track in the trace.
func (s stream) place() string {
	return [...]string{"", " terminal", " terminal", " output", " standard error"}[s]
}

// A timeline has the events that the harness saw on a stage. merged adds those of
// observers. Any goroutine may use it.
type timeline struct {
	began time.Time

	mu     sync.Mutex
	events []*Event
}

func newTimeline() *timeline { return &timeline{began: time.Now()} }

// record adds an event. An event without a time gets the current time.
func (t *timeline) record(e Event) *Event {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	t.events = append(t.events, &e)
	return &e
}

// begin adds an event with a duration. The event is open, as that of an order without
// an answer, until done is called with its outcome.
func (t *timeline) begin(e Event) (done func(outcome string)) {
	e.open = true
	begun := t.record(e)
	return func(outcome string) {
		t.mu.Lock()
		defer t.mu.Unlock()
		begun.open, begun.Took = false, time.Since(begun.Time)
		if outcome != "" {
			begun.What += ": " + outcome
		}
	}
}

// A track adds the events of one process, shell or oracle to a timeline. A nil track
// discards them.
type track struct {
	timeline *timeline
	name     string
}

func (t *timeline) track(name string) *track { return &track{t, name} }

func (k *track) record(e Event) {
	if k != nil {
		e.Track, e.self = k.name, true
		k.timeline.record(e)
	}
}

func (k *track) begin(e Event) (done func(outcome string)) {
	if k == nil {
		return func(string) {}
	}
	e.Track, e.self = k.name, true
	return k.timeline.begin(e)
}

// oracle returns the track of the oracle that belongs to k.
func (k *track) oracle() *track { return k.timeline.track("oracle of " + k.name) }

// merged returns copies of all events and of those of others, in order of time. The
// order of others depends on their clocks: a log line in milliseconds may come before
// its cause.
func (t *timeline) merged(others []Event) []Event {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := slices.Clone(others)
	for _, e := range t.events {
		all = append(all, *e)
	}
	for i := range all {
		all[i].Time = all[i].Time.Round(0) // journals have no monotonic clock
	}
	slices.SortStableFunc(all, func(a, b Event) int { return a.Time.Compare(b.Time) })
	return all
}

// An Observer adds the events of another recorder to the timeline of a stage: what a program
// under test writes into a log of its own. Each of its functions may be nil.
type Observer struct {
	// Look is called each time a prompt or a puppet has appeared. It can open files
	// that the program may remove later.
	Look func()
	// Events returns what was recorded. It is called when a report is made.
	Events func() []Event
	// Close is called when the stage has been cleared. Its error fails the spec.
	Close func() error
}

// Observe adds an observer to the stage.
func (s *Stage) Observe(o Observer) {
	if o.Look != nil {
		s.looks = append(s.looks, o.Look)
	}
	if o.Events != nil {
		s.sources = append(s.sources, o.Events)
	}
	if o.Close != nil {
		s.last = append(s.last, func(context.Context) error { return o.Close() })
	}
}

// Logf adds a remark of the test to the timeline.
func (s *Stage) Logf(format string, args ...any) {
	s.spec.record(Event{What: fmt.Sprintf(format, args...)})
}

// history returns all events of the stage, its terminals, jobs and observers in order of
// time. What a command has written before is among them.
func (s *Stage) history() []Event {
	for _, t := range s.terminals.list() {
		t.terminal.CatchUp()
	}
	for _, j := range s.jobs.list() {
		j.catchUp()
	}
	others := s.passages()
	for _, source := range s.sources {
		others = append(others, source()...)
	}
	return s.timeline.merged(others)
}

// passages returns the input and output of terminals and jobs so far as events.
func (s *Stage) passages() (all []Event) {
	for _, term := range s.terminals.list() {
		all = append(all, events(term.terminal.Recording, term.name, term.PID(), shown)...)
	}
	for _, j := range s.jobs.list() {
		if j.out != nil {
			all = append(all, events(j.out.Recording, j.name, j.PID(), written)...)
		}
		if j.apart() {
			all = append(all, events(j.errors.Recording, j.name, j.PID(), complained)...)
		}
	}
	return all
}

// events returns input and output as events.
func events(r *terminal.Recording, track string, pid int, output stream) []Event {
	var all []Event
	for _, p := range r.Passages(0) {
		if len(p.Bytes) == 0 {
			continue // Resize has added an event
		}
		direction := output
		if p.Typed {
			direction = typed
		}
		all = append(all, Event{Time: r.Began().Add(p.At), PID: pid, Track: track, What: string(p.Bytes), self: true, stream: direction})
	}
	return all
}
