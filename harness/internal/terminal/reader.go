//go:build darwin || linux

package terminal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// A Reader copies what comes out of a pipe or of the master of a terminal into a
// recording, in a goroutine of its own, until the end or Close.
type Reader struct {
	file *os.File
	raw  syscall.RawConn
	mu   sync.Mutex // held from a read until its bytes are in the recording
	to   *Recording
	then func([]byte) // called with mu after bytes are in the recording
	done chan struct{}
	once sync.Once
}

// NewReader starts to copy from file, which the Reader closes. File must be in
// non-blocking mode and known to Go's poller, as an end of os.Pipe is; Fd must not have
// been called.
func NewReader(file *os.File, to *Recording) (*Reader, error) {
	return newReader(file, to, func([]byte) {})
}

func newReader(file *os.File, to *Recording, then func([]byte)) (*Reader, error) {
	raw, err := file.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file.Name(), err)
	}
	r := &Reader{file: file, raw: raw, to: to, then: then, done: make(chan struct{})}
	go r.copy()
	return r, nil
}

// Done returns a channel that is closed when nothing will be read any more.
func (r *Reader) Done() <-chan struct{} { return r.done }

// copy reads until the end: end of file, EIO at a terminal on Linux, or Close.
func (r *Reader) copy() {
	defer close(r.done)
	buf := make([]byte, 4096)
	for {
		var n int
		var err error
		if waited := r.raw.Read(func(fd uintptr) bool {
			n, err = r.take(int(fd), buf)
			return err != unix.EAGAIN
		}); waited != nil {
			n, err = 0, os.ErrClosed // only Close ends a wait; the error of package poll is not exported
		}
		if n <= 0 {
			r.to.Ended(endOf(err))
			return
		}
	}
}

// take reads once without waiting and adds what it gets to the recording.
func (r *Reader) take(fd int, buf []byte) (n int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		n, err = unix.Read(fd, buf)
		if err != unix.EINTR {
			break
		}
	}
	if n > 0 {
		r.to.Shown(buf[:n])
		r.then(buf[:n])
	}
	return n, err
}

// CatchUp adds all that can be read now to the recording. After the exit of a process
// that is all that it has written: the bytes are in the pipe, and a read of the master of
// a terminal waits for those on their way (Linux: n_tty_read calls
// tty_buffer_flush_work).
func (r *Reader) CatchUp() {
	buf := make([]byte, 4096)
	for more := true; more; {
		n := 0
		// An error means that the file is closed: then nothing can be read.
		if r.raw.Control(func(fd uintptr) { n, _ = r.take(int(fd), buf) }) != nil {
			return
		}
		more = n > 0
	}
}

// Close ends the copying at once and closes the file. Call CatchUp before it to get the
// rest.
func (r *Reader) Close() error {
	var err error
	r.once.Do(func() { err = r.file.Close() })
	<-r.done
	return err
}

// endOf returns a plain text for the ends of a file, and any other error unchanged. A
// nil error is an end of file: unix.Read returns no bytes.
func endOf(err error) error {
	switch {
	case err == nil, errors.Is(err, io.EOF):
		return errors.New("end of file")
	case errors.Is(err, syscall.EIO):
		return errors.New("end by EIO")
	case errors.Is(err, os.ErrClosed):
		return errors.New("hung up")
	}
	return err
}
