package process

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// ErrGone reports that there is no such process any more, or never was.
var ErrGone = errors.New("no such process")

// A Process is one row of the process table at the moment it was read.
type Process struct {
	Identity
	// Parent is the PID of the parent: init's (1) for an orphan, the real
	// parent's while a debugger traces the process.
	Parent int `json:"parent,omitempty"`
	// Tracer is the PID of the debugger that is the parent for the time being.
	// macOS only; zero for a process that is not traced.
	Tracer int `json:"tracer,omitempty"`
	// Group and Session are the ids of its process group and session. Session
	// is zero where the kernel does not report it: for the dead on macOS.
	Group   int `json:"group,omitempty"`
	Session int `json:"session,omitempty"`
	// User is the effective user id.
	User  int   `json:"user"`
	State State `json:"state"`
	// Command is the kernel's short name of the program.
	Command Name `json:"command,omitzero"`
}

// A Row is a process with what only the follower of a tree needs to know of it.
type Row struct {
	Process
	// Lineage names the process that made this one. A [Reader] leaves it empty.
	Lineage Lineage
	// Headless means that the first thread of the process has ended while others
	// run. Only Linux shows that.
	Headless bool
	// Hidden means that the process lives and its row cannot be read. Only PID, parent,
	// group and session are known, and its start time is zero. Only Linux hides
	// processes.
	Hidden bool
}

// A Lineage has numbers, which the kernel never uses again, of a process and of the one
// that made it. Both are zero where the kernel does not report them, as on Linux.
type Lineage struct {
	// Self is the number of the process. Later processes have higher ones.
	Self uint64
	// Parent is the number of the process that made it. After an exec it can be
	// the number of the parent of that moment (macOS since 13).
	Parent uint64
}

// A Name is the kernel's name of a program: at most 16 bytes on macOS and 15
// on Linux. It is a value, so that reading the table over and over makes no
// garbage.
type Name [16]byte

func nameOf(text []byte) (n Name) {
	if end := bytes.IndexByte(text, 0); end >= 0 {
		text = text[:end]
	}
	copy(n[:], text)
	return n
}

// String returns the name without its padding.
func (n Name) String() string {
	if end := bytes.IndexByte(n[:], 0); end >= 0 {
		return string(n[:end])
	}
	return string(n[:])
}

// MarshalText implements [encoding.TextMarshaler].
func (n Name) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]. A longer text is cut.
func (n *Name) UnmarshalText(text []byte) error {
	*n = nameOf(text)
	return nil
}

// A State is how far a process is on its way from fork to reaped.
type State uint8

const (
	// Running covers everything between fork and exit but Stopped: on the
	// processor, waiting for it, or asleep.
	Running State = iota
	// Stopped by a signal or a debugger.
	Stopped
	// Exiting has begun to end. It cannot be watched any more and may still
	// finish a fork, so it is not dead. macOS only (P_WEXIT).
	Exiting
	// Zombie is dead; its parent has not waited for it yet.
	Zombie
)

var stateNames = [...]string{"running", "stopped", "exiting", "zombie"}

// String returns the state as one lower-case word.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("state %d", uint8(s))
}

// MarshalJSON writes the word.
func (s State) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// UnmarshalJSON reads the word.
func (s *State) UnmarshalJSON(text []byte) error {
	var word string
	if err := json.Unmarshal(text, &word); err != nil {
		return err
	}
	for i, name := range stateNames {
		if name == word {
			*s = State(i)
			return nil
		}
	}
	return fmt.Errorf("unknown process state %q", word)
}
