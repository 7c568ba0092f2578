//go:build darwin || linux

package harness

import (
	"context"
	"fmt"
	"time"
)

// Foreground types fg and waits until a job is the foreground group of the terminal.
// Prompt then waits for the job's end or stop.
func (sh *Shell) Foreground() {
	sh.stage.t.Helper()
	sh.Send("fg")
	ctx, cancel := sh.stage.bound(sh.limit)
	defer cancel()
	tick := time.NewTicker(tickTime) // no event reports a change of the foreground group
	defer tick.Stop()
	for {
		group, err := sh.ForegroundGroup()
		if err == nil && group != sh.PID() {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			sh.stage.t.Fatalf("%s", sh.failure(fmt.Errorf("no job came to the foreground: %w; last seen: %q", context.Cause(ctx), sh.terminal.Last(sh.read))))
		}
	}
}

// Background types bg, which continues the last stopped job in the background, and
// waits for the prompt.
func (sh *Shell) Background() (output string, status int) {
	sh.stage.t.Helper()
	return sh.Run("bg")
}

// TerminalSize sets the size of the terminals that the stage opens from now on. It is 24
// rows of 80 columns at first.
func (s *Stage) TerminalSize(rows, columns int) { s.rows, s.columns = rows, columns }
