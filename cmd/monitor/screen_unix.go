//go:build darwin || linux

package main

import (
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/monitor"
)

// A screen is a terminal that a command has for itself. Keys that send signals (^C, ^Z) still
// do.
type screen struct {
	in, out *os.File
	before  *unix.Termios
	signals chan os.Signal
	keys    chan string // closed when the terminal is gone
	wake    *os.File    // closed to end the reading of keys
	awake   *os.File
}

const (
	// enter has the terminal show another page than that of the shell, without a cursor.
	enter = "\x1b[?1049h\x1b[?25l"
	leave = "\x1b[?25h\x1b[?1049l"
)

// openScreen returns the terminal of standard input and out. It is not ok where one of them is
// none, or where the terminal can do too little.
func openScreen(out io.Writer) (s *screen, ok bool) {
	if kept, isOutput := out.(*output); isOutput {
		out = kept.Writer
	}
	file, isFile := out.(*os.File)
	if !isFile || os.Getenv("TERM") == "" || os.Getenv("TERM") == "dumb" {
		return nil, false
	}
	s = &screen{in: os.Stdin, out: file}
	if _, _, ok := s.size(); !ok {
		return nil, false
	}
	var err error
	s.before, err = getTermios(s.in)
	return s, err == nil
}

// size returns the size of the terminal. One that does not know has 24 rows of 80 columns.
func (s *screen) size() (rows, columns int, ok bool) {
	size, err := unix.IoctlGetWinsize(int(s.out.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0, 0, false
	}
	if size.Row == 0 || size.Col == 0 {
		return 24, 80, true
	}
	return int(size.Row), int(size.Col), true
}

// begin takes the terminal, and reports keys and signals.
func (s *screen) begin() error {
	var err error
	if s.awake, s.wake, err = os.Pipe(); err != nil {
		return err
	}
	s.signals = make(chan os.Signal, 8)
	for _, each := range []os.Signal{
		unix.SIGWINCH, unix.SIGTSTP, unix.SIGCONT, unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT,
	} {
		if !signal.Ignored(each) {
			signal.Notify(s.signals, each)
		}
	}
	s.keys = make(chan string)
	go s.read()
	if err := s.take(); err != nil {
		s.end()
		return err
	}
	return nil
}

// take has the terminal in this command's way, write by write and key by key.
func (s *screen) take() error {
	mode := *s.before
	mode.Lflag &^= unix.ICANON | unix.ECHO
	mode.Cc[unix.VMIN], mode.Cc[unix.VTIME] = 1, 0
	if err := setTermios(s.in, &mode); err != nil {
		return err
	}
	_, err := io.WriteString(s.out, enter)
	return err
}

// give has the terminal as it was before.
func (s *screen) give() {
	_, _ = io.WriteString(s.out, leave)
	_ = setTermios(s.in, s.before)
}

// end gives the terminal back, and ends the reports.
func (s *screen) end() {
	s.give()
	signal.Stop(s.signals)
	s.wake.Close()
	for range s.keys { // until read has ended
	}
	s.awake.Close()
}

// pause gives the terminal back, stops this process as ^Z does, and takes the terminal again
// when it goes on. SIGCONT is waited for: a signal to oneself may take effect later.
func (s *screen) pause() error {
	own, _ := unix.Getsid(0)
	if parents, err := unix.Getsid(os.Getppid()); err != nil || parents != own {
		return nil // no shell would have this process go on
	}
	s.give()
	if err := unix.Kill(os.Getpid(), unix.SIGSTOP); err != nil {
		return err
	}
	for each := range s.signals {
		if each == unix.SIGCONT {
			return s.take()
		}
		if each != unix.SIGTSTP && each != unix.SIGWINCH {
			return &monitor.ToldError{Signal: each.(syscall.Signal)}
		}
	}
	return s.take()
}

// read reports what is typed, until wake is closed or the terminal is gone.
func (s *screen) read() {
	defer close(s.keys)
	var text [256]byte
	fds := []unix.PollFd{{Fd: int32(s.in.Fd()), Events: unix.POLLIN}, {Fd: int32(s.awake.Fd()), Events: unix.POLLIN}}
	for {
		_, err := unix.Poll(fds, -1)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || fds[1].Revents != 0 {
			return
		}
		n, err := unix.Read(int(s.in.Fd()), text[:])
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if n <= 0 || err != nil {
			return
		}
		s.keys <- string(text[:n])
	}
}
