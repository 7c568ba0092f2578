package monitor

import (
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// An Event is something that happened to a runtime, or to the knowledge of it.
type Event struct {
	Time time.Time `json:"time"`
	// Name is that of the runtime. It is empty for an [EventGap] about the store.
	Name string `json:"name,omitempty"`
	// Kind is a [trees.ChangeKind] of the tree, or one of the constants below.
	Kind EventKind `json:"event"`
	// State is the new one, for [EventState].
	State State `json:"state,omitempty"`
	// Reason is that of the state, why the table cannot be read, or what a gap is.
	Reason string `json:"reason,omitempty"`
	// Member is the process that joined or left.
	Member *trees.Member `json:"member,omitempty"`
	// Owner and Command are those of the record, for the state [StateStarting] and for
	// [EventRemoved].
	Owner   *process.Identity `json:"owner,omitempty"`
	Command []string          `json:"command,omitempty"`
	// How the runtime has ended, for [EventRemoved]. It is empty where the history does not
	// have the runtime: its command was not started, or its directory was removed by hand.
	How Cause `json:"how,omitempty"`
	// Since is from when events may be missing, for [EventGap] and [EventUnwatched].
	Since *time.Time `json:"since,omitempty"`
}

// An EventKind is what happened, as one word.
type EventKind string

const (
	// EventState: the runtime has got another state.
	EventState EventKind = "state"
	// EventJoined and EventLeft: a process became a member, and has ended.
	EventJoined EventKind = "joined"
	EventLeft   EventKind = "left"
	// EventUnwatched: no monitor had the runtime for a time, and one has it again.
	EventUnwatched EventKind = "unwatched"
	// EventRemoved: the runtime has lost its name. Its files are being deleted.
	EventRemoved EventKind = "removed"
	// EventGap: events may be missing, for a reason.
	EventGap EventKind = "gap"
)

// Reasons of an [EventGap].
const (
	gapShortened = "the journal was shortened"
	gapUnseen    = "its journal went with it before it could be read"
	gapBroken    = "a line of the journal is none"
	gapHistory   = "the history does not go back further"
)

// eventOf returns the event of a line of a journal.
func eventOf(name string, e JournalEntry) Event {
	return Event{
		Time: e.Time, Name: name, Kind: EventKind(e.Event), State: e.State, Reason: e.Reason, Member: e.Member, Since: e.Since,
	}
}

// startOf returns the event of the beginning of a runtime.
func startOf(r Record) Event {
	return Event{Time: r.Created, Name: r.Name, Kind: EventState, State: StateStarting, Owner: &r.Owner, Command: r.Command}
}

// removalOf returns the event of the removal of a runtime.
func removalOf(p Past) Event {
	e := Event{Time: p.Ended, Name: p.Name, Kind: EventRemoved, Command: p.Command, How: p.How}
	if p.Owner.PID > 0 {
		e.Owner = &p.Owner
	}
	return e
}

// gapOf returns a gap up to a time.
func gapOf(name string, since, until time.Time, reason string) Event {
	e := Event{Time: until.UTC(), Name: name, Kind: EventGap, Reason: reason}
	if !since.IsZero() {
		since = since.UTC()
		e.Since = &since
	}
	return e
}
