package terminal

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

const (
	getTermios = unix.TIOCGETA
	setTermios = unix.TIOCSETA
)

// waitOutput waits until all output of the terminal has been read.
func waitOutput(replica int) error { return unix.IoctlSetInt(replica, unix.TIOCDRAIN, 0) }

// LockEdge makes sure that one process of a parallel suite at a time opens or closes a
// terminal. macOS assigns a revoked device again at once, and closing one terminal can
// hang up the next. The lock is on the temporary directory, which all of them have.
func LockEdge() (unlock func(), err error) {
	dir, err := os.Open(os.TempDir())
	if err != nil {
		return nil, fmt.Errorf("lock the terminals: %w", err)
	}
	for {
		err = unix.Flock(int(dir.Fd()), unix.LOCK_EX)
		if err != unix.EINTR {
			break
		}
	}
	if err != nil {
		dir.Close()
		return nil, fmt.Errorf("lock the terminals: %w", err)
	}
	return func() { dir.Close() }, nil
}
