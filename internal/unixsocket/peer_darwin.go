package unixsocket

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/tracker/process"
)

func userOf(fd int) (int, error) {
	peer, err := unix.GetsockoptXucred(fd, unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	if err != nil {
		return -1, os.NewSyscallError("getsockopt LOCAL_PEERCRED", err)
	}
	return int(peer.Uid), nil
}

// changes is how often the process may change while it is looked up: an inherited
// connection changes hands with each use (docs/xnu.md X55).
const changes = 10

func processOf(fd int) (process.Identity, error) {
	pid, err := lastUser(fd)
	if err != nil {
		return process.Identity{}, err
	}
	for range changes {
		id, err := startOf(pid)
		again, failed := lastUser(fd)
		switch {
		case failed != nil:
			return process.Identity{}, failed
		case again == pid:
			return id, err
		}
		pid = again
	}
	return process.Identity{}, fmt.Errorf("several processes use the connection at once, the last one is %d", pid)
}

// lastUser returns the PID of the process that used the other end last.
func lastUser(fd int) (int, error) {
	pid, err := unix.GetsockoptInt(fd, unix.SOL_LOCAL, unix.LOCAL_PEERPID)
	switch {
	case err == unix.ENOTCONN:
		return 0, failure(ErrHungUp, err)
	case err != nil:
		return 0, os.NewSyscallError("getsockopt LOCAL_PEERPID", err)
	case pid <= 0:
		return 0, ErrForeign
	}
	return pid, nil
}
