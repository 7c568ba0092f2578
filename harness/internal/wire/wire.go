// Package wire has the messages between the harness and its puppets and wardens: JSON
// values, one a line, over a Unix socket. A puppet greets with an Answer, obeys one Order
// at a time and answers each. It ends when the harness closes the connection.
package wire

import (
	"syscall"
	"time"
)

// The environment of a puppet.
const (
	// SocketVariable names the socket on which the harness listens.
	SocketVariable = "HARNESS_PUPPETS"
	// DescriptorVariable is the number of a connection that was kept over exec.
	DescriptorVariable = "HARNESS_CONNECTION"
)

// A Verb is what a puppet has to do.
type Verb string

// The verbs. Unless the comment has another order, the puppet answers afterwards.
const (
	Report         Verb = "report"          // only answer
	Fork           Verb = "fork"            // start a child puppet called Name
	Spawn          Verb = "spawn"           // start Args as a child, and do not wait for it
	Reap           Verb = "reap"            // wait for the child with PID Number
	Exit           Verb = "exit"            // answer, then exit with code Number
	Raise          Verb = "raise"           // answer, then signal itself with Number
	Setsid         Verb = "setsid"          // lead a new session
	Setpgid        Verb = "setpgid"         // lead a new process group
	ExecSelf       Verb = "exec self"       // exec the puppet again; the new image answers
	Exec           Verb = "exec"            // answer, then exec Args; the connection to the socket Name ends with the exec, or has an error before
	Ignore         Verb = "ignore"          // ignore the signal Number, as do all children from now on
	Close          Verb = "close"           // close descriptor Number
	CloseInherited Verb = "close inherited" // close every inherited descriptor from 3 up
	DropTerminal   Verb = "drop terminal"   // replace descriptors 0, 1 and 2 with the null device

	DropEnvironment Verb = "drop environment" // exec the puppet again with an empty environment; the new image answers
	SetEnvironment  Verb = "set environment"  // exec the puppet again with the variable Name set to the first of Args; the new image answers
	WriteTerminal   Verb = "write terminal"   // write Args to the controlling terminal, a line
	ChangeUser      Verb = "change user"      // set user and group to Number, which needs root
	Crash           Verb = "crash"            // answer, then crash by SIGABRT
	Trace           Verb = "trace"            // attach to the process Number with ptrace
	Release         Verb = "release"          // detach from the process Number
	Lend            Verb = "lend"             // send the inherited descriptors from 3 up over the socket Name
	EndFirstThread  Verb = "end first thread" // end the thread that the process began with (Linux)
)

// An Order is one thing that a puppet has to do.
type Order struct {
	Do     Verb     `json:"do"`
	Name   string   `json:"name,omitempty"`
	Args   []string `json:"args,omitempty"`
	Number int      `json:"number,omitempty"`
	// OwnSession and OwnGroup make a started child a leader.
	OwnSession bool `json:"own_session,omitempty"`
	OwnGroup   bool `json:"own_group,omitempty"`
}

// An Answer is the outcome of an order and the standing of the puppet after it, read
// from the kernel each time.
type Answer struct {
	Name    string `json:"name"`
	PID     int    `json:"pid"`
	Parent  int    `json:"parent"`
	Group   int    `json:"group"`
	Session int    `json:"session"`
	// Start is the start time in the unit of the kernel: clock ticks since boot on
	// Linux, microseconds since 1970 on macOS.
	Start int64 `json:"start"`
	// Time is when the puppet sent the answer.
	Time time.Time `json:"time"`
	// Child is the PID of the process that Fork or Spawn started.
	Child int `json:"child,omitempty"`
	// Status is how the child of Reap ended.
	Status Status `json:"status,omitzero"`
	// Error is why the order was not obeyed, or empty. Errno is the error of the system call
	// that was refused, or 0.
	Error string        `json:"error,omitempty"`
	Errno syscall.Errno `json:"errno,omitempty"`
}

// A Status is how a process ended: by exit with a code, or by a signal.
type Status struct {
	Code   int            `json:"code,omitempty"`
	Signal syscall.Signal `json:"signal,omitempty"`
}
