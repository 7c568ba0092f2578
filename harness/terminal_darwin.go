package harness

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

const (
	getTermios = unix.TIOCGETA
	setTermios = unix.TIOCSETA
)

// waitOutput waits until all that was written to the terminal has been read.
func waitOutput(replica int) error { return unix.IoctlSetInt(replica, unix.TIOCDRAIN, 0) }

// lockEdge keeps all processes of a parallel suite from opening and closing
// terminals at the same time: macOS hands out a revoked device again at once,
// and the teardown of one terminal can hang up the next. The temporary
// directory is merely something that all of them can lock.
func lockEdge() (unlock func(), err error) {
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
