package unixsocket

import (
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

func newSocket() (int, error) {
	return unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
}

// beforeBind sets the mode that the file will have (docs/linux.md L57).
func beforeBind(fd int) error { return os.NewSyscallError("fchmod", unix.Fchmod(fd, 0o600)) }

func afterBind(string) error { return nil }

func acceptOne(fd int) (int, error) {
	accepted, _, err := unix.Accept4(fd, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
	return accepted, err
}

// Refuse makes the kernel refuse new connections, and ends Accept. AcceptNow still takes the
// connections that wait (docs/linux.md L56). It cannot be taken back. macOS cannot do it:
// the error there is [errors.ErrUnsupported].
func (l *Listener) Refuse() error {
	raw, err := l.inner.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = unix.Shutdown(int(fd), unix.SHUT_RD) }); err != nil {
		return err
	}
	if failed != nil {
		return os.NewSyscallError("shutdown", failed)
	}
	l.refuses.Store(true)
	return l.inner.SetDeadline(time.Unix(1, 0)) // an Accept that waits is not woken otherwise
}

// HungUp reports whether the other end of a connection is closed in all processes that had
// it. It reads nothing. A peer that has only ended its writing has not hung up.
func HungUp(conn *net.UnixConn) bool {
	up := false
	err := control(conn, func(fd int) error {
		// POLLHUP means that both directions are shut (docs/linux.md L58).
		events, err := pollNow(fd, 0)
		up = err == nil && events&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) == 0
		return err
	})
	return err != nil || !up
}

// pollNow returns the events of a descriptor at this moment.
func pollNow(fd int, events int16) (int16, error) {
	wait := []unix.PollFd{{Fd: int32(fd), Events: events}}
	for {
		switch _, err := unix.Poll(wait, 0); err {
		case nil:
			return wait[0].Revents, nil
		case unix.EINTR:
		default:
			return 0, os.NewSyscallError("poll", err)
		}
	}
}
