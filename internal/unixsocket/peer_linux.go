package unixsocket

import (
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
// the process lives, its PID is no other's (docs/linux.md L59).
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

// handleOf returns a pidfd of the peer, which the kernel has since 6.5. Before, it is the
// pidfd of the process that has the PID now.
func handleOf(fd, pid int) (int, error) {
	return handleBy(
		func() (int, error) { return unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PEERPIDFD) },
		func() (int, error) { return unix.PidfdOpen(pid, 0) })
}

// handleBy decides. Only ENOPROTOOPT means that the kernel is too old: a peer that was
// reaped has other errors on newer ones, and its PID may be another process's.
func handleBy(peer, byPID func() (int, error)) (int, error) {
	handle, err := peer()
	if err == unix.ENOPROTOOPT {
		handle, err = byPID()
	}
	switch err {
	case nil:
		return handle, nil
	case unix.ESRCH, unix.EINVAL, unix.ENODATA, unix.ENOENT:
		return -1, failure(process.ErrGone, err)
	}
	return -1, os.NewSyscallError("open a pidfd of the peer", err)
}
