package unixsocket

import (
	"errors"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

func newSocket() (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	return withFlags(fd, err)
}

// withFlags makes a new descriptor close on exec and not block. The caller holds ForkLock.
func withFlags(fd int, err error) (int, error) {
	if err != nil {
		return -1, err
	}
	unix.CloseOnExec(fd)
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func beforeBind(int) error { return nil }

// afterBind sets the mode. XNU does not know fchmod(2) of a socket.
func afterBind(name string) error {
	return os.NewSyscallError("fchmodat", unix.Fchmodat(unix.AT_FDCWD, name, 0o600, unix.AT_SYMLINK_NOFOLLOW))
}

func acceptOne(fd int) (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	accepted, _, err := unix.Accept(fd)
	return withFlags(accepted, err)
}

// Refuse is not supported on macOS: shutdown(2) of a listening socket is ENOTCONN
// (docs/xnu.md X54).
func (l *Listener) Refuse() error { return errors.ErrUnsupported }

// HungUp reports whether the other end of a connection is closed in all processes that had
// it. It reads nothing. A peer that has only ended its writing has not hung up.
func HungUp(conn *net.UnixConn) bool {
	return control(conn, func(fd int) error {
		// The kernel names no peer process once there is no peer (docs/xnu.md X55).
		_, err := unix.GetsockoptInt(fd, unix.SOL_LOCAL, unix.LOCAL_PEERPID)
		return err
	}) != nil
}
