package wire

import (
	"syscall"
	"time"
)

// The descriptors of a warden. Both are stream sockets. Orders and news pass as JSON
// values, one a line. Descriptors pass over a socket of their own, those of one start in
// one message with one byte: a stream does not keep the limits of messages.
const (
	OrderDescriptor = 3
	FileDescriptor  = 4
)

// A WardenVerb is what a warden has to do.
type WardenVerb string

// The verbs. The warden answers each order by news with its number.
const (
	// Begin starts a command as Command has it, with the files that were sent. The answer
	// has its PID, and the ends of the pipes that the warden made are sent.
	Begin WardenVerb = "begin"
	// Strike sends Signal to the command with the PID, or to its group with Group. It does
	// nothing after the reap.
	Strike WardenVerb = "strike"
	// Ask asks for the children that are left.
	Ask WardenVerb = "ask"
	// End kills all descendants and answers when there is none left.
	End WardenVerb = "end"
	// Leave is the last order: the stage has ended, and the process of the tests goes on. A
	// warden whose connection ends without it takes that process for dead.
	Leave WardenVerb = "leave"
)

// A WardenOrder is one thing that a warden has to do.
type WardenOrder struct {
	Number  int            `json:"number"`
	Do      WardenVerb     `json:"do"`
	Command *Command       `json:"command,omitempty"`
	PID     int            `json:"pid,omitempty"`
	Signal  syscall.Signal `json:"signal,omitempty"`
	Group   bool           `json:"group,omitempty"`
}

// A Command is what a warden starts.
type Command struct {
	Path        string   `json:"path"`
	Arguments   []string `json:"arguments"`
	Environment []string `json:"environment"`
	Directory   string   `json:"directory"`
	// Input, Output and Errors are the descriptors 0, 1 and 2.
	Input  Stream `json:"input"`
	Output Stream `json:"output"`
	Errors Stream `json:"errors"`
	// Oracle asks for a pipe that the command holds at descriptor 3.
	Oracle bool `json:"oracle,omitempty"`
	// Given is the number of files that are sent with the order, in the order of their
	// use: as Input, Output, Errors, from descriptor 4 up, and the cgroup last.
	Given int `json:"given,omitempty"`
	// Terminal makes the command lead a session with Input as its terminal. Otherwise it
	// leads a process group.
	Terminal bool `json:"terminal,omitempty"`
	// Cgroup starts the command in the control group that was sent last (Linux).
	Cgroup bool `json:"cgroup,omitempty"`
}

// A Stream is what a standard descriptor of a command is.
type Stream string

// The streams. The zero value is the null device.
const (
	Null   Stream = ""
	Sent   Stream = "sent"   // the next file that was sent
	Pipe   Stream = "pipe"   // a pipe that the warden makes; its other end is sent to the harness
	Merged Stream = "merged" // of Errors: the same as Output
)

// News are what a warden reports: answers, which have the number of the order, and what
// happens to its commands, which has the number 0.
type News struct {
	Number int       `json:"number,omitempty"`
	Time   time.Time `json:"time"`
	Error  string    `json:"error,omitempty"`
	PID    int       `json:"pid,omitempty"`
	// Sent is the number of files that were sent with an answer to Begin.
	Sent int `json:"sent,omitempty"`
	// Children reports, in an answer to Ask, that a child is left. On a system with
	// Adopts, no child means no descendant.
	Children bool `json:"children,omitempty"`
	// Adopts reports, in an answer to Ask, that the warden becomes the parent of each
	// descendant whose parent ends.
	Adopts bool  `json:"adopts,omitempty"`
	Change State `json:"change,omitempty"`
	// Status is set when Change is Ended.
	Status Status `json:"status,omitzero"`
}

// A State is what a command does.
type State string

// The states.
const (
	Stopped   State = "stopped"
	Continued State = "continued"
	Ended     State = "ended" // and was reaped
)
