//go:build darwin || linux

package tracker

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// A lease is the reading end of a pipe whose writing end the processes of a tree
// inherit.
type lease struct {
	file *os.File
	over chan struct{} // closed when the reader has ended; nil before watch
}

// newLease returns a lease and the end that a command inherits.
func newLease() (*lease, *os.File, error) {
	file, held, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	return &lease{file: file}, held, nil
}

// watch calls freed once when no process holds the lease any more, or it is closed.
func (l *lease) watch(freed func()) {
	l.over = make(chan struct{})
	go func() {
		defer close(l.over)
		_, _ = io.Copy(io.Discard, l.file) // a process may write to what it inherited
		freed()
	}()
}

// Held reports whether a process holds the lease. It asks the kernel and not the
// reader: descriptors are closed before an exit is announced, and the reader may be
// late.
func (l *lease) Held() bool {
	conn, err := l.file.SyscallConn()
	if err != nil {
		return true
	}
	held := true
	_ = conn.Control(func(fd uintptr) {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, 0)
		held = err != nil || n == 0 || fds[0].Revents&unix.POLLHUP == 0
	})
	return held
}

// Close ends the lease and its reader.
func (l *lease) Close() error {
	err := l.file.Close()
	if l.over != nil {
		<-l.over
	}
	return err
}
