//go:build darwin || linux

package terminal

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// OpenPair opens both ends, without echo and without a reader. creack/pty 1.1.24 may open the replica of another terminal
// (its ioctl argument does not survive a move of the stack), and macOS may return
// ENXIO while another terminal is closed. OpenPair checks the ends and tries again.
func OpenPair(rows, columns int) (master, replica *os.File, err error) {
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
	if err := setEcho(end, false); err != nil { // so all that is shown is output
		return err
	}
	size.Xpixel, size.Ypixel = 0, 0
	return unix.IoctlSetWinsize(end, unix.TIOCSWINSZ, size)
}

// setEcho turns the echo of a terminal on or off, at either end.
func setEcho(fd int, on bool) error {
	mode, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return fmt.Errorf("get the mode: %w", err)
	}
	mode.Lflag &^= unix.ECHO
	if on {
		mode.Lflag |= unix.ECHO
	}
	if err := unix.IoctlSetTermios(fd, setTermios, mode); err != nil {
		return fmt.Errorf("set the mode: %w", err)
	}
	return nil
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

// checkSize returns an error for a size that a terminal cannot have.
func checkSize(rows, columns int) error {
	for _, n := range []int{rows, columns} {
		if n < 1 || n > math.MaxUint16 {
			return fmt.Errorf("a terminal cannot have %d rows of %d columns: each is from 1 to %d", rows, columns, math.MaxUint16)
		}
	}
	return nil
}
