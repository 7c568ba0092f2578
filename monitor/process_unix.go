//go:build unix

package monitor

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// leaseFDs are where the lease may lie in the command, best first: above what
// scripts name (3 to 9) and what shells use for themselves (10 and up, and 255
// down), and below the usual limit of 256.
var leaseFDs = []int{100, 10, 3}

// keepOnExec gives the open file a descriptor that outlives exec.
func keepOnExec(file *os.File) (err error) {
	for _, from := range leaseFDs {
		if _, err = unix.FcntlInt(file.Fd(), unix.F_DUPFD, from); err == nil {
			return nil
		}
	}
	return os.NewSyscallError("fcntl", err)
}

// closeOnExec keeps a descriptor from being inherited.
func closeOnExec(fd int) { unix.CloseOnExec(fd) }

// ownSession starts a child as the leader of a session without a terminal.
func ownSession() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
