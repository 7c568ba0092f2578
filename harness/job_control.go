//go:build darwin || linux

package harness

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Foreground types fg and waits until a job has the terminal. Prompt waits for
// the job's end or stop.
func (sh *Shell) Foreground(ctx context.Context) {
	sh.stage.t.Helper()
	sh.Send("fg")
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond) // nothing announces who is in front
	defer tick.Stop()
	for {
		group, err := sh.ForegroundGroup()
		if err == nil && group != sh.PID() {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			sh.stage.t.Fatalf("%s: no job came to the foreground: %v; last seen: %q", sh.name, ctx.Err(), sh.terminal.last(sh.read))
		}
	}
}

// Background types bg, which lets the last stopped job go on without the
// terminal, and waits for the prompt.
func (sh *Shell) Background(ctx context.Context) (output string, status int) {
	sh.stage.t.Helper()
	return sh.Run(ctx, "bg")
}

// ForegroundGroup is the process group that has the terminal now. The master is
// asked: macOS answers nobody else who is not of the session.
func (sh *Shell) ForegroundGroup() (int, error) {
	group := 0
	err := sh.terminal.control(func(fd int) (err error) {
		group, err = unix.IoctlGetInt(fd, unix.TIOCGPGRP)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("foreground group: %w", err)
	}
	return group, nil
}

// Resize gives the terminal another size. The kernel tells its foreground
// group by SIGWINCH, if it is another.
func (sh *Shell) Resize(rows, columns int) {
	sh.stage.t.Helper()
	size := unix.Winsize{Row: uint16(rows), Col: uint16(columns)}
	done := sh.track.begin(Event{PID: sh.PID(), What: fmt.Sprintf("its terminal gets %d rows of %d columns", rows, columns)})
	err := sh.terminal.control(func(fd int) error { return unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &size) })
	done(outcome(err))
	if err != nil {
		sh.stage.t.Fatalf("%s: resize: %v", sh.name, err)
	}
	sh.terminal.resized(rows, columns)
}

// TerminalSize sets the size of the terminals that are opened from now on.
func (s *Stage) TerminalSize(rows, columns int) { s.rows, s.columns = rows, columns }
