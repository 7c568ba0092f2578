//go:build darwin || linux

package harness

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// An Event is something that was seen at a time. Who tells it: a puppet, a
// shell, a job, the journal of a runtime. It names a track of the timeline.
type Event struct {
	Time  time.Time
	Took  time.Duration // of what has a beginning and an end; else 0
	PID   int           // the process that it is about; 0 if it is about none
	Track string
	What  string
	Life  Life
	// Parent is the process from which PID came, if Life begins and it is known.
	Parent int

	self   bool   // told by the process itself, as it were: Who is its name
	open   bool   // begun, and not over when somebody looked
	stream stream // What is bytes of a terminal
}

// A Life says whether an Event begins or ends the life of its process, as far
// as its teller knows.
type Life int

// The zero value is an event that does neither.
const (
	Begins Life = iota + 1
	Ends
)

// A stream is a direction at a terminal.
type stream int

const (
	typed stream = iota + 1
	shown
)

// A timeline is what the harness itself has seen on a stage. What others wrote
// down, a monitor in its journal for example, is merged into it when somebody
// reads it. Any goroutine may use it.
type timeline struct {
	began time.Time

	mu     sync.Mutex
	events []*Event
}

func newTimeline() *timeline { return &timeline{began: time.Now()} }

// note adds an event, which happened now unless it says otherwise.
func (t *timeline) record(e Event) *Event {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	t.events = append(t.events, &e)
	return &e
}

// begin adds something that takes time. It stays open, which is what a reader
// wants to know of an order that was never answered, until done says how it
// came out.
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

// A track is where one process, shell or oracle writes into a timeline. What is
// written to no track at all (nil) is not kept.
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

// oracle is the track of the oracle of whoever writes here.
func (k *track) oracle() *track { return k.timeline.track("oracle of " + k.name) }

// merged is a copy of all events and of those of others, in order of time.
// Among others' the order is only as good as their clocks: a log with
// milliseconds may be put before what it follows.
func (t *timeline) merged(others []Event) []Event {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := slices.Clone(others)
	for _, e := range t.events {
		all = append(all, *e)
	}
	for i := range all {
		all[i].Time = all[i].Time.Round(0) // journals know no monotonic clock
	}
	slices.SortStableFunc(all, func(a, b Event) int { return a.Time.Compare(b.Time) })
	return all
}

// An Observer adds the events of another recorder to the timeline of a stage: the
// journal of a monitor, for example. Each of its functions may be nil.
type Observer struct {
	// Look is called each time a prompt or a puppet has appeared. It can open files
	// that a monitor may remove later.
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

// Note puts a remark of the spec's own into the timeline.
func (s *Stage) Logf(format string, args ...any) {
	s.spec.record(Event{What: fmt.Sprintf(format, args...)})
}

// history is all that is known about the stage, in order of time.
func (s *Stage) history() []Event {
	var others []Event
	for _, sh := range s.shells {
		others = append(others, sh.terminal.events(sh.track.name, sh.PID())...)
	}
	for _, source := range s.sources {
		others = append(others, source()...)
	}
	return s.timeline.merged(others)
}

// events are the bytes that passed, for a timeline.
func (r *recording) events(who string, pid int) []Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []Event
	for _, p := range r.passed {
		if p.size != "" {
			continue // noted by whoever changed it
		}
		direction := shown
		if p.typed {
			direction = typed
		}
		all = append(all, Event{Time: r.began.Add(p.at), PID: pid, Track: who, What: string(p.bytes), self: true, stream: direction})
	}
	return all
}
