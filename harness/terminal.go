//go:build darwin || linux

package harness

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// A terminal is a pseudo-terminal whose output a goroutine reads all the time. On macOS
// a session leader does not finish exiting, and its exit is not reported, until its
// terminal has been read.
//
// The order is fixed: open, set the size, read, start a child, use it, wait for the end
// of the child, wait for its output, close the replica, read to the end, close the
// master.
type terminal struct {
	*recording
	master *os.File
	// replica is the child's end. It stays open here: on macOS the last close discards
	// unread output.
	replica *os.File
	drained chan struct{} // closed when the reader has ended
	hangup  sync.Once
	close   sync.Once
}

// openTerminal opens a terminal without echo and starts to read it. The caller holds
// lockEdge until a child has been started.
func openTerminal(rows, columns int) (*terminal, error) {
	master, replica, err := openPair(rows, columns)
	if err != nil {
		return nil, fmt.Errorf("open a terminal: %w", err)
	}
	t := &terminal{recording: newRecording(rows, columns), master: master, replica: replica, drained: make(chan struct{})}
	go t.drain()
	return t, nil
}

// openPair opens both ends. creack/pty 1.1.24 may open the replica of another terminal
// (its ioctl argument does not survive a move of the stack), and macOS may return
// ENXIO while another terminal is closed. openPair checks the ends and tries again.
func openPair(rows, columns int) (master, replica *os.File, err error) {
	for range 5 {
		master, replica, err = pty.Open()
		if err != nil {
			continue
		}
		if err = prepare(master, replica, rows, columns); err == nil {
			master, err = pollable(master)
		}
		if err == nil {
			return master, replica, nil
		}
		master.Close()
		replica.Close()
	}
	return nil, nil, err
}

var errOtherTerminal = errors.New("the two ends belong to different terminals")

// prepare sets the size, turns echo off and checks that the two ends are one terminal:
// it writes a random size at one end and reads it at the other.
func prepare(master, replica *os.File, rows, columns int) error {
	proof := unix.Winsize{Row: uint16(rows), Col: uint16(columns), Xpixel: uint16(rand.Uint32()), Ypixel: uint16(rand.Uint32())}
	if err := unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &proof); err != nil {
		return fmt.Errorf("set the size: %w", err)
	}
	end := int(replica.Fd())
	size, err := unix.IoctlGetWinsize(end, unix.TIOCGWINSZ)
	if err != nil {
		return fmt.Errorf("get the size: %w", err)
	}
	if *size != proof {
		return errOtherTerminal
	}
	mode, err := unix.IoctlGetTermios(end, getTermios)
	if err != nil {
		return fmt.Errorf("get the mode: %w", err)
	}
	mode.Lflag &^= unix.ECHO // so all that is shown is output
	if err := unix.IoctlSetTermios(end, setTermios, mode); err != nil {
		return fmt.Errorf("set the mode: %w", err)
	}
	size.Xpixel, size.Ypixel = 0, 0
	return unix.IoctlSetWinsize(end, unix.TIOCSWINSZ, size)
}

// pollable returns master in a file whose Close ends a Read. The library opens it in
// blocking mode, where Close does not. O_NONBLOCK is set before NewFile, which checks
// it: otherwise the first Read on macOS returns EAGAIN.
func pollable(master *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(master.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return master, fmt.Errorf("duplicate the master: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return master, fmt.Errorf("set the master non-blocking: %w", err)
	}
	master.Close()
	return os.NewFile(uintptr(fd), master.Name()), nil
}

// drain reads until the end: EIO on Linux, EOF on macOS, os.ErrClosed after Hangup.
func (t *terminal) drain() {
	defer close(t.drained)
	buf := make([]byte, 4096)
	for {
		n, err := t.master.Read(buf)
		if n > 0 {
			t.shown(buf[:n])
		}
		if err != nil {
			t.ended(endOf(err))
			return
		}
	}
}

// endOf returns a plain text for the ends of a terminal, and any other error
// unchanged.
func endOf(err error) error {
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("end of file")
	case errors.Is(err, syscall.EIO):
		return errors.New("end by EIO")
	case errors.Is(err, os.ErrClosed):
		return errors.New("hung up")
	}
	return err
}

// Write types b.
func (t *terminal) Write(b []byte) (int, error) {
	t.typed(b)
	n, err := t.master.Write(b)
	if err != nil {
		return n, fmt.Errorf("type %q: %w", b, err)
	}
	return n, nil
}

// control calls f with the descriptor of the master. File.Fd would make it blocking.
func (t *terminal) control(f func(fd int) error) error {
	raw, err := t.master.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	err = raw.Control(func(fd uintptr) { inner = f(int(fd)) })
	return errors.Join(err, inner)
}

// Hangup closes the master. The kernel sends SIGHUP to the leader of the session only.
func (t *terminal) Hangup() {
	t.hangup.Do(func() { t.master.Close() })
	<-t.drained
}

// Close releases the terminal after its child was reaped. It reads the rest of the
// output. A process that holds the terminal delays it by a second at most.
func (t *terminal) Close() error {
	var err error
	t.close.Do(func() {
		waitOutput(int(t.replica.Fd())) // an error means that the terminal was revoked and has no output
		var unlock func()
		if unlock, err = lockEdge(); err == nil {
			defer unlock()
		}
		t.replica.Close()
		select {
		case <-t.drained:
		case <-time.After(time.Second):
		}
		t.Hangup()
	})
	return err
}
