//go:build unix

package monitor

import (
	"os"

	"golang.org/x/sys/unix"
)

// leaseFDs are where the lease may lie in the command, best first: above what
// scripts name (3 to 9) and what shells use for themselves (10 and up, and 255
// down), and below the usual limit of 256.
var leaseFDs = []int{100, 10, 3}

// keepOnExec gives the open file a second descriptor, which outlives exec.
func keepOnExec(file *os.File) (*os.File, error) {
	var failed error
	for _, from := range leaseFDs {
		fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD, from)
		if err == nil {
			return os.NewFile(uintptr(fd), file.Name()), nil
		}
		failed = err
	}
	return nil, os.NewSyscallError("fcntl", failed)
}

// syncFile gives what was written to the disk. Go's File.Sync would also have
// the disk empty its cache on macOS (F_FULLFSYNC), which takes some 18 ms and
// only helps against a loss of power (fsync(2) of macOS).
func syncFile(file *os.File) error {
	for {
		err := unix.Fsync(int(file.Fd()))
		if err != unix.EINTR {
			return os.NewSyscallError("fsync", err)
		}
	}
}
