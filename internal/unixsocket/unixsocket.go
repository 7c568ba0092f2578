// Package unixsocket listens at and connects to stream sockets in the file system, at
// paths of any length, and returns which process is at the other end of a connection.
//
// It is a thin layer over the system calls. On systems other than macOS and Linux every
// call returns [errors.ErrUnsupported].
package unixsocket

import (
	"errors"
	"fmt"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// The errors that callers of this package distinguish, beside [io/fs.ErrNotExist] (nothing
// has the name), [io/fs.ErrExist] (something has the name), [process.ErrGone] (the peer has
// ended) and those of a context that has ended.
var (
	// ErrRefused reports a socket on which no process listens. On macOS it also reports
	// one whose queue of connections is full, so it proves no death.
	ErrRefused = errors.New("no process accepts connections there")
	// ErrNotSocket reports a file of another kind at the path.
	ErrNotSocket = errors.New("not a socket")
	// ErrEmpty reports that no connection waits to be accepted.
	ErrEmpty = errors.New("no connection waits")
	// ErrForeign reports a peer in a PID namespace whose processes this one does not see.
	ErrForeign = errors.New("the peer is in another PID namespace")
	// ErrHungUp reports that the other end is closed, so the kernel names no peer. macOS only.
	ErrHungUp = errors.New("the peer has closed the connection")
)

// A Peer is the process at the other end of a connection, as the kernel names it.
type Peer struct {
	// User is the effective user id at the time of connect, or of listen where this
	// process connected.
	User int
	// Process is on Linux the process that called connect (or listen), and on macOS the one
	// that used the other end last. Both may differ from the sender of a message.
	Process process.Identity
}

// failure is an error of a system call that a sentinel stands for. errors.Is finds both.
func failure(sentinel, cause error) error { return fmt.Errorf("%w (%w)", sentinel, cause) }
