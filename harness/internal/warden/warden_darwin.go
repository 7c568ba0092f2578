package warden

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// adopt does nothing: on macOS launchd adopts all orphans.
func adopt() error { return errors.ErrUnsupported }

// inCgroup does nothing: macOS has no control groups.
func inCgroup(*syscall.SysProcAttr, *os.File) {}

// paused reports whether a status is that of a stopped or of a continued process (X48). The
// methods of unix.WaitStatus take a stop by SIGSTOP for a continuation.
func paused(status unix.WaitStatus) (stopped, continued bool) {
	const wstopped = 0x7f
	if status&0xff != wstopped {
		return false, false
	}
	continued = syscall.Signal(status>>8) == syscall.SIGCONT
	return !continued, continued
}
