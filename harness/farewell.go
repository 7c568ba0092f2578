//go:build darwin || linux

package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/harness/internal/table"
	"github.com/gemini-monitor/gemini/harness/internal/wire"
)

// farewellTime is how long a command has to end by itself when its test has ended.
const farewellTime = 2 * time.Second

// endTrees ends the trees whose commands run at the end of the test, and all puppets. It
// asks the commands to end and gives them the farewell time, in which the puppets live: a
// supervisor can end what it has started. Then it kills the commands and all that they
// leave. A tree whose command had ended before is not touched: what lives of it is a leak.
func (s *Stage) endTrees(ctx context.Context) {
	var unfinished, asked []*tree
	for _, t := range s.trees.list() {
		if t.runs() {
			unfinished = append(unfinished, t)
			if !s.troupe.obeys(t.process.pid) {
				asked = append(asked, t)
			}
		}
	}
	limit := min(farewellTime, s.grace)
	if errors.Is(context.Cause(s.ctx), errRunEnds) {
		limit = 0
	}
	for _, t := range asked {
		t.askToEnd()
	}
	awaitAll(asked, limit)
	for _, t := range unfinished {
		t.killCommand()
	}
	s.troupe.end()
	for _, t := range unfinished {
		t.killRest(ctx)
	}
}

// runs reports whether the command has not ended. The warden reports what has ended before
// it answers.
func (t *tree) runs() bool {
	if closed(t.process.exited) {
		return false
	}
	_, _, err := t.process.guard.ask()
	return err == nil && !closed(t.process.exited)
}

// askToEnd sends the command SIGTERM, and at a terminal SIGHUP, as the end of a terminal
// does: interactive shells ignore SIGTERM. A stopped command is continued to get it.
func (t *tree) askToEnd() {
	request := syscall.SIGTERM
	if t.atTerminal {
		request = syscall.SIGHUP
	}
	t.track.record(Event{PID: t.process.pid, What: "the test has ended: the stage sends " + unix.SignalName(request)})
	for _, signal := range []syscall.Signal{request, syscall.SIGCONT} {
		// An error means that the command or the warden has ended.
		_, _ = t.process.guard.do(wire.WardenOrder{Do: wire.Strike, PID: t.process.pid, Signal: signal}, nil, nil)
	}
}

// awaitAll waits until the commands have ended, for the limit at most.
func awaitAll(trees []*tree, limit time.Duration) {
	over := time.NewTimer(limit)
	defer over.Stop()
	for _, t := range trees {
		select {
		case <-t.process.exited:
		case <-t.process.guard.gone:
		case <-over.C:
			return
		}
	}
}

// killCommand kills the command if it lives.
func (t *tree) killCommand() {
	if t.runs() {
		t.track.record(Event{PID: t.process.pid, What: "the test has ended: the stage sends SIGKILL"})
	}
	t.process.end()
}

// killRest kills what is left of a tree whose command the stage has ended. What it cannot
// end is found by clear.
func (t *tree) killRest(ctx context.Context) {
	if t.shared {
		return // its warden has other commands as well
	}
	ctx, cancel := context.WithTimeout(ctx, t.stage.grace)
	defer cancel()
	tick := time.NewTicker(tickTime)
	defer tick.Stop()
	var known []int
	for ctx.Err() == nil {
		children, exact, err := t.process.guard.ask()
		if err != nil || exact && !children {
			return
		}
		rest, err := t.rest(exact)
		if err != nil || !exact && len(rest) == 0 {
			return
		}
		for _, m := range rest {
			if !slices.Contains(known, m.PID) {
				known = append(known, m.PID)
				t.track.record(Event{What: fmt.Sprintf("the stage sends SIGKILL to what is left: %d (%s)", m.PID, m.Command)})
			}
			if !exact {
				_ = syscall.Kill(m.PID, syscall.SIGKILL) // what refuses is found by clear
			}
		}
		_ = t.process.guard.end()
		if exact {
			return
		}
		select {
		case <-tick.C: // no event reports the end of an orphan of launchd
		case <-ctx.Done():
		}
	}
}

// rest returns the processes of the tree that the table shows.
func (t *tree) rest(exact bool) ([]Member, error) {
	all, err := table.All()
	if err != nil {
		return nil, err
	}
	pids := table.Below(all, t.process.guard.pid())
	if !exact {
		pids = append(pids, t.marked(all)...)
	}
	slices.Sort(pids)
	return membersOf(living(slices.Compact(pids), all), all), nil
}

// obeys reports whether the process is a puppet that has not ended. After Exec it is none.
func (tr *troupe) obeys(pid int) bool {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return slices.ContainsFunc(tr.members, func(p *Puppet) bool {
		return p.pid == pid && !p.replaced && !closed(p.gone)
	})
}
