package monitor

import (
	"encoding/json"
	"fmt"
	"syscall"
	"time"
)

// Limits are what the maker of a runtime asks of its monitor, besides watching it. They are
// kept whether or not the maker lives.
type Limits struct {
	// Timeout is how long the runtime may last from its start. Then its members are told to
	// end. 0 is no limit.
	Timeout Seconds `json:"timeout,omitzero"`
	// Leftovers: when the owner has ended, the members that it left are told to end.
	Leftovers bool `json:"leftovers,omitempty"`
	// Grace is how long members that were told to end may take, before they are killed.
	Grace Seconds `json:"grace,omitzero"`
}

// A Cause is why the members of a runtime are told to end, as one word.
type Cause string

const (
	// CauseStop: a user asked for it, with "monitor stop" for instance.
	CauseStop Cause = "stop"
	// CauseTimeout: the runtime has lasted as long as it may.
	CauseTimeout Cause = "timeout"
	// CauseLeftovers: the owner has ended, and members are left.
	CauseLeftovers Cause = "leftovers"
)

// An Ending is how the members of a runtime are told to end.
type Ending struct {
	By Cause `json:"by"`
	// Signal is what members get at first. A member that joins later gets only SIGKILL.
	Signal syscall.Signal `json:"signal"`
	// Asked is when they get it, and Grace how long they may take from then on.
	Asked time.Time `json:"asked"`
	Grace Seconds   `json:"grace"`
}

// left returns what is left of the grace.
func (e Ending) left(now time.Time) time.Duration {
	return max(0, time.Duration(e.Grace)-now.Sub(e.Asked))
}

// reason is the reason of a runtime that is stopping for that.
func (e Ending) reason() string {
	why := map[Cause]string{
		CauseStop:      "it was told to stop",
		CauseTimeout:   "its time is up",
		CauseLeftovers: "its command has ended, and what it left is told to end",
	}[e.By]
	return fmt.Sprintf("%s: %s was sent, and SIGKILL follows after %v", why, signalName(e.Signal), time.Duration(e.Grace))
}

// Seconds is a time span that JSON has as a number of seconds.
type Seconds time.Duration

// MarshalJSON implements [json.Marshaler].
func (s Seconds) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(s).Seconds()) }

// UnmarshalJSON implements [json.Unmarshaler].
func (s *Seconds) UnmarshalJSON(text []byte) error {
	var n float64
	if err := json.Unmarshal(text, &n); err != nil {
		return err
	}
	*s = Seconds(n * float64(time.Second))
	return nil
}
