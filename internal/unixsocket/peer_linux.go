package unixsocket

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/tracker/process"
)

func userOf(fd int) (int, error) {
	peer, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return -1, os.NewSyscallError("getsockopt SO_PEERCRED", err)
	}
	return int(peer.Uid), nil
}

// processOf opens the pidfd before it reads the start time, and asks it afterwards: while
// the process lives, its PID is no other's (docs/linux.md L54).
func processOf(fd int) (process.Identity, error) {
	peer, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return process.Identity{}, os.NewSyscallError("getsockopt SO_PEERCRED", err)
	}
	pid := int(peer.Pid)
	if pid == 0 {
		return process.Identity{}, ErrForeign
	}
	handle, err := handleOf(fd, pid)
	if err != nil {
		return process.Identity{}, err
	}
	defer unix.Close(handle)
	id, err := startOf(pid)
	if err != nil {
		return process.Identity{}, err
	}
	ended, err := pollNow(handle, unix.POLLIN)
	switch {
	case err != nil:
		return process.Identity{}, err
	case ended != 0:
		return process.Identity{}, fmt.Errorf("process %d: %w", pid, process.ErrGone)
	}
	return id, nil
}

// handleOf returns a pidfd of the peer. A kernel before 6.5 does not have it, and the one
// of the PID is taken, which may be another process. Only ENOPROTOOPT means that: for a
// peer that was reaped the newer kernels have other errors.
func handleOf(fd, pid int) (int, error) {
	handle, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PEERPIDFD)
	if err == unix.ENOPROTOOPT {
		handle, err = unix.PidfdOpen(pid, 0)
	}
	switch {
	case err == nil:
		unix.CloseOnExec(handle) // it is set already: pidfd_open(2)
		return handle, nil
	case errors.Is(err, unix.ESRCH), errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENODATA):
		return -1, fmt.Errorf("process %d: %w (%w)", pid, process.ErrGone, err)
	}
	return -1, os.NewSyscallError("getsockopt SO_PEERPIDFD", err)
}
