//go:build unix

package monitor

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// leaseFDs are the lowest descriptors that the lease may have in the command, best
// first. The first is above the descriptors that scripts name (3 to 9) and that shells
// use themselves (10 and up, and 255 down), and below the usual limit of 256.
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

// The signals by which members are made to end, beside SIGKILL and the one that asks them.
const (
	sigStop     = unix.SIGSTOP
	sigContinue = unix.SIGCONT
)

// ownGroup has a child lead a session, and so a group, of its own.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// killGroup kills the group that a child of this process leads. No other group has its number
// while the child is not reaped.
func killGroup(leader *os.Process) error { return unix.Kill(-leader.Pid, unix.SIGKILL) }

// signalName returns the name of a signal, such as SIGTERM.
func signalName(sig syscall.Signal) string {
	if name := unix.SignalName(sig); name != "" {
		return name
	}
	return sig.String()
}
