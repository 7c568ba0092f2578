//go:build darwin || linux

package harness

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Foreground types fg and waits until a job is the foreground group of the terminal.
// Prompt then waits for the job's end or stop.
func (sh *Shell) Foreground(ctx context.Context) {
	sh.stage.t.Helper()
	sh.Send("fg")
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond) // no event reports a change of the foreground group
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

// Background types bg, which continues the last stopped job in the background, and
// waits for the prompt.
func (sh *Shell) Background(ctx context.Context) (output string, status int) {
	sh.stage.t.Helper()
	return sh.Run(ctx, "bg")
}

// ForegroundGroup returns the foreground process group of the terminal. It reads it
// from the master: on macOS the replica returns it to processes of the session only.
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

// Resize sets the size of the terminal. If it changes, the kernel sends SIGWINCH to
// the foreground group.
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

// TerminalSize sets the size of the terminals that the stage opens from now on.
func (s *Stage) TerminalSize(rows, columns int) { s.rows, s.columns = rows, columns }
