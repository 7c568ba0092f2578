//go:build darwin || linux

package unixsocket

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// backlog is the length of the queue of connections that Listen asks for. The kernel cuts
// it to its own limit, 4096 on Linux and 128 on macOS (docs/linux.md L56, docs/xnu.md X53).
const backlog = 1<<16 - 1

// A Listener is a listening stream socket in the file system. All its methods may be called
// from any goroutine.
type Listener struct {
	path    string
	bound   inode
	inner   *net.UnixListener
	refuses atomic.Bool
	closed  atomic.Bool
}

// Listen makes a socket at an absolute path of any length, with mode 0600, and listens on
// it. The error is [fs.ErrExist] where anything has the name, a dead socket included:
// [Remove] is for those.
//
// Before the mode is set no process can connect, as nothing listens yet.
func Listen(path string) (*Listener, error) {
	l, err := listen(path)
	if err != nil {
		return nil, fmt.Errorf("listen at %s: %w", path, err)
	}
	return l, nil
}

func listen(path string) (*Listener, error) {
	fd, err := newSocket()
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	file := os.NewFile(uintptr(fd), path)
	defer file.Close() // the listener has a duplicate
	bound, err := bindTo(fd, path)
	if err != nil {
		return nil, err
	}
	l := &Listener{path: path, bound: bound}
	if err := l.start(fd, file); err != nil {
		return nil, errors.Join(err, l.Unlink())
	}
	return l, nil
}

// bindTo gives a socket its name, for its owner alone.
func bindTo(fd int, path string) (inode, error) {
	if err := beforeBind(fd); err != nil {
		return inode{}, err
	}
	err := reach(path, func(name string) error {
		if err := unix.Bind(fd, &unix.SockaddrUnix{Name: name}); err != nil {
			return os.NewSyscallError("bind", err)
		}
		return afterBind(name)
	})
	if errors.Is(err, unix.EADDRINUSE) {
		err = failure(fs.ErrExist, err)
	}
	if err != nil {
		return inode{}, err
	}
	_, bound, err := lookAt(path)
	return bound, err
}

func (l *Listener) start(fd int, file *os.File) error {
	if err := unix.Listen(fd, backlog); err != nil {
		return os.NewSyscallError("listen", err)
	}
	general, err := net.FileListener(file)
	if err != nil {
		return err
	}
	l.inner = general.(*net.UnixListener)
	// net would unlink whatever has the name by then.
	l.inner.SetUnlinkOnClose(false)
	return nil
}

// Path returns the path that was given to [Listen].
func (l *Listener) Path() string { return l.path }

// Accept waits for a connection. After [Listener.Close] and [Listener.Refuse] the error is
// [net.ErrClosed].
func (l *Listener) Accept() (*net.UnixConn, error) {
	conn, err := l.inner.AcceptUnix()
	if err != nil && l.refuses.Load() {
		err = failure(net.ErrClosed, err)
	}
	return conn, err
}

// AcceptNow returns a connection that waits in the queue, and [ErrEmpty] where none does.
// It never blocks, whatever the deadline is.
func (l *Listener) AcceptNow() (*net.UnixConn, error) {
	raw, err := l.inner.SyscallConn()
	if err != nil {
		return nil, err
	}
	var accepted int
	var failed error
	if err := raw.Control(func(fd uintptr) { accepted, failed = acceptWaiting(int(fd)) }); err != nil {
		return nil, err
	}
	switch {
	case failed == unix.EAGAIN, failed == unix.EINVAL && l.refuses.Load():
		return nil, failure(ErrEmpty, failed)
	case failed != nil:
		return nil, os.NewSyscallError("accept", failed)
	}
	file := os.NewFile(uintptr(accepted), l.path)
	defer file.Close() // the connection has a duplicate
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, err
	}
	return conn.(*net.UnixConn), nil
}

// acceptWaiting accepts from a socket that does not block.
func acceptWaiting(fd int) (int, error) {
	for {
		switch accepted, err := acceptOne(fd); err {
		case unix.EINTR, unix.ECONNABORTED:
		default:
			return accepted, err
		}
	}
}

// SetDeadline makes Accept fail at a time, and never where that is zero. A deadline that is
// past makes it fail also while connections wait: AcceptNow takes those.
func (l *Listener) SetDeadline(t time.Time) error { return l.inner.SetDeadline(t) }

// Here reports whether the path leads to this socket. It does not after [Listener.Close].
func (l *Listener) Here() bool {
	if l.closed.Load() {
		return false
	}
	_, found, err := lookAt(l.path)
	return err == nil && found == l.bound
}

// Unlink removes the socket from its path, and nothing else that has the name. The path
// having gone, or leading to another file, is no error. It must be called before
// [Listener.Close], which frees the number of the inode for another file, and by the one
// process that may change the path: looking and removing are two steps.
func (l *Listener) Unlink() error {
	if !l.Here() {
		return nil
	}
	err := unix.Unlink(l.path)
	if err == unix.ENOENT {
		return nil
	}
	return wrapPath("unlink", l.path, err)
}

// Close stops listening and resets the connections that wait. It leaves the path. A second
// Close does nothing.
func (l *Listener) Close() error {
	if l.closed.Swap(true) {
		return nil
	}
	return l.inner.Close()
}

func wrapPath(op, path string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: path, Err: err}
}
