//go:build darwin || linux

package terminal

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A Terminal is a pseudo-terminal whose output a goroutine reads all the time. On macOS
// a session leader does not finish exiting, and its exit is not reported, until its
// terminal has been read.
//
// The order is fixed: open, set the size, read, start a child, use it, wait for the end
// of the child, wait for its output, close the replica, read to the end, close the
// master.
type Terminal struct {
	*Recording
	reader *Reader
	// replica is the child's end. It stays open here: on macOS the last close discards
	// unread output.
	replica *os.File
	answer  atomic.Pointer[func([]byte) []byte]
	close   sync.Once
}

// Open opens a terminal, with or without echo, and starts to read it. The caller holds
// LockEdge until a child has been started.
func Open(rows, columns int, echo bool) (*Terminal, error) {
	if err := checkSize(rows, columns); err != nil {
		return nil, fmt.Errorf("open a terminal: %w", err)
	}
	master, replica, err := OpenPair(rows, columns)
	if err != nil {
		return nil, fmt.Errorf("open a terminal: %w", err)
	}
	t := &Terminal{Recording: NewRecording(rows, columns), replica: replica}
	if echo {
		err = setEcho(int(replica.Fd()), true)
	}
	if err == nil {
		t.reader, err = newReader(master, t.Recording, t.reply)
	}
	if err != nil {
		master.Close()
		replica.Close()
		return nil, fmt.Errorf("open a terminal: %w", err)
	}
	return t, nil
}

// Replica returns the child's end, for its descriptors 0, 1 and 2. Close closes it.
func (t *Terminal) Replica() *os.File { return t.replica }

// Write types b. It blocks while the terminal cannot take more input.
func (t *Terminal) Write(b []byte) (int, error) {
	t.Typed(b)
	n, err := t.reader.file.Write(b)
	if err != nil {
		return n, fmt.Errorf("type %q: %w", b, err)
	}
	return n, nil
}

// Type is Write until a deadline, after which it fails.
func (t *Terminal) Type(b []byte, deadline time.Time) error {
	if err := t.reader.file.SetWriteDeadline(deadline); err != nil {
		return fmt.Errorf("type %q: %w", b, err)
	}
	_, err := t.Write(b)
	return err
}

// Answer sets a function that gets all output from now on, in order, and returns what
// the terminal types in answer, as a real one does to ESC[6n. It is called by one
// goroutine at a time and must not wait or use the terminal.
func (t *Terminal) Answer(answer func(shown []byte) []byte) { t.answer.Store(&answer) }

// reply types the answer to what was shown. It does not wait: an answer that the
// terminal cannot take is lost, because the reader has to go on.
func (t *Terminal) reply(shown []byte) {
	answer := t.answer.Load()
	if answer == nil {
		return
	}
	if b := (*answer)(shown); len(b) > 0 {
		t.Typed(b)
		// The errors are those of a terminal that is full or closed.
		_ = t.Control(func(fd int) error { _, err := unix.Write(fd, b); return err })
	}
}

// Done returns a channel that is closed when nothing will be read any more.
func (t *Terminal) Done() <-chan struct{} { return t.reader.Done() }

// CatchUp adds all output that the terminal has now to the recording.
func (t *Terminal) CatchUp() { t.reader.CatchUp() }

// Control calls f with the descriptor of the master. File.Fd would make it blocking.
func (t *Terminal) Control(f func(fd int) error) error {
	var inner error
	err := t.reader.raw.Control(func(fd uintptr) { inner = f(int(fd)) })
	return errors.Join(err, inner)
}

// Resize sets the size. If it changes, the kernel sends SIGWINCH to the foreground
// group.
func (t *Terminal) Resize(rows, columns int) error {
	if err := checkSize(rows, columns); err != nil {
		return err
	}
	size := unix.Winsize{Row: uint16(rows), Col: uint16(columns)}
	if err := t.Control(func(fd int) error { return unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &size) }); err != nil {
		return fmt.Errorf("set the size: %w", err)
	}
	t.Resized(rows, columns)
	return nil
}

// SetEcho turns the echo of what is typed on or off. A program may change it, too.
func (t *Terminal) SetEcho(on bool) error {
	return t.Control(func(fd int) error { return setEcho(fd, on) })
}

// Echo reports whether the terminal echoes what is typed.
func (t *Terminal) Echo() (bool, error) {
	var mode *unix.Termios
	err := t.Control(func(fd int) (err error) {
		mode, err = unix.IoctlGetTermios(fd, getTermios)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("get the mode: %w", err)
	}
	return mode.Lflag&unix.ECHO != 0, nil
}

// ForegroundGroup returns the foreground process group, or 0 if there is none. It reads
// it from the master: on macOS the replica returns it to processes of the session only.
func (t *Terminal) ForegroundGroup() (int, error) {
	group := 0
	err := t.Control(func(fd int) (err error) {
		group, err = unix.IoctlGetInt(fd, unix.TIOCGPGRP)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("foreground group: %w", err)
	}
	return group, nil
}

// Pollable reports whether Go's poller owns the master, so that Close ends a read.
func (t *Terminal) Pollable() bool { return t.reader.file.SetReadDeadline(time.Time{}) == nil }

// Hangup closes the master. The kernel sends SIGHUP to the leader of the session only.
func (t *Terminal) Hangup() { t.reader.Close() }

// Close releases the terminal after its child was reaped. It reads the rest of the
// output. A process that holds the terminal delays it by a second at most.
func (t *Terminal) Close() error {
	var err error
	t.close.Do(func() {
		waitOutput(int(t.replica.Fd())) // an error means that the terminal was revoked and has no output
		var unlock func()
		if unlock, err = LockEdge(); err == nil {
			defer unlock()
		}
		t.replica.Close()
		select {
		case <-t.reader.Done():
		case <-time.After(time.Second):
		}
		t.Hangup()
	})
	return err
}
