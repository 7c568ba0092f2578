//go:build darwin || linux

package harness

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A Tree is a command that a stage started, with all its descendants. A [Job] and a
// [Terminal] have its methods. Those that wait fail the test if what they wait for does
// not happen within the limit: 30 s, another one in a handle that Within returns.
type Tree struct {
	*tree
	limit time.Duration
}

// A tree is the part that all copies of a Tree share.
type tree struct {
	stage   *Stage
	name    string
	at      place // of the call that started it
	track   *track
	process *process
	oracle  *oraclePipe // nil for a command of Stage.Run
	shared  bool        // its warden has other commands as well
	// atTerminal means that the command leads a session at a terminal.
	atTerminal bool
	awaited    atomic.Bool   // the test has seen the end of the command
	lastWords  func() string // the last output as a part of a message; nil for a command of Stage.Run
	mark       string        // in the environment of its processes
	began      starts        // of all processes when it began

	mu   sync.Mutex
	seen starts // of its processes that a look at the table has shown
}

// PID returns the PID of the command. No other process has it until Exited is closed.
func (t *Tree) PID() int { return t.process.pid }

// Exited returns a channel that is closed when the command has ended and was reaped.
func (t *Tree) Exited() <-chan struct{} { return t.process.exited }

// Oracle returns the oracle that the command and its descendants inherit.
func (t *Tree) Oracle() *Oracle { return &Oracle{t.oracle, t} }

// Signal sends a signal to the command. It does nothing if the command has ended, and fails
// the test if the test has seen that, by Wait, ExpectExit or ExpectKilled.
func (t *Tree) Signal(s syscall.Signal) {
	t.stage.t.Helper()
	if t.awaited.Load() {
		t.stage.t.Fatalf("%s: signal %s: %v", t.name, signalName(s), t.ended())
	}
	t.process.signal(s)
}

// ended says how the command has ended. The caller knows that it has.
func (t *tree) ended() error { return fmt.Errorf("%q has ended, %s", t.words(), t.process.status) }

// Wait waits for the end of the command, not of its descendants, and returns how it ended.
func (t *Tree) Wait() Status {
	t.stage.t.Helper()
	if err := t.await(t.limit, "end", t.process.exited); err != nil {
		t.stage.t.Fatalf("%s%s", t.failure(err), t.said())
	}
	t.awaited.Store(true)
	return t.process.status
}

// ExpectExit waits for the end of the command, and fails the test if it does not exit with
// code.
func (t *Tree) ExpectExit(code int) {
	t.stage.t.Helper()
	t.expectEnd(Status{Code: code})
}

// ExpectKilled waits for the end of the command, and fails the test if the signal has not
// killed it.
func (t *Tree) ExpectKilled(by syscall.Signal) {
	t.stage.t.Helper()
	t.expectEnd(Status{Signal: by})
}

func (t *Tree) expectEnd(want Status) {
	t.stage.t.Helper()
	if got := t.Wait(); got != want {
		t.stage.t.Fatalf("%s%s", t.failure(fmt.Errorf("expect %q %s: it %s", t.words(), want.wanted(), got.past())), t.said())
	}
}

// ExpectStopped waits until the command is stopped, as by SIGSTOP. ^Z stops the jobs of a
// shell, and not the command of a terminal itself: its group has no parent in its session
// (an orphaned group, in which both kernels ignore SIGTSTP).
func (t *Tree) ExpectStopped() {
	t.stage.t.Helper()
	t.expectState(true, "stop")
}

// ExpectRunning waits until the command is not stopped. It fails the test if the command
// has ended.
func (t *Tree) ExpectRunning() {
	t.stage.t.Helper()
	t.expectState(false, "run")
}

func (t *Tree) expectState(want bool, verb string) {
	t.stage.t.Helper()
	ctx, cancel := t.stage.bound(t.limit)
	defer cancel()
	// The warden looks at its children before it answers. An end may not be announced yet,
	// and macOS announces no continuation (X49).
	tick := time.NewTicker(tickTime)
	defer tick.Stop()
	for {
		if _, _, err := t.process.guard.ask(); err != nil {
			t.stage.t.Fatalf("%s", t.failure(err))
		}
		stopped, changed := t.process.state()
		switch {
		case closed(t.process.exited):
			t.stage.t.Fatalf("%s", t.failure(fmt.Errorf("expect %q to %s: it has ended, %s", t.words(), verb, t.process.status)))
		case stopped == want:
			return
		}
		select {
		case <-changed:
		case <-t.process.exited:
		case <-tick.C:
		case <-ctx.Done():
			t.stage.t.Fatalf("%s", t.failure(fmt.Errorf("expect %q to %s: %w", t.words(), verb, context.Cause(ctx))))
		}
	}
}

// await waits until a channel is closed. Verb says what the command does then.
func (t *tree) await(limit time.Duration, verb string, done <-chan struct{}) error {
	ctx, cancel := t.stage.bound(limit)
	defer cancel()
	select {
	case <-done:
		return nil
	case <-t.process.guard.gone:
		if closed(done) {
			return nil
		}
		return t.process.guard.lost()
	case <-ctx.Done():
		return fmt.Errorf("expect %q to %s: %w", t.words(), verb, context.Cause(ctx))
	}
}

// said returns the last output of the command as a part of a message, "" without any.
func (t *tree) said() string {
	if t.lastWords == nil {
		return ""
	}
	return t.lastWords()
}

// words returns the command, short enough for a message.
func (t *tree) words() string { return brief(join(t.process.words), 200) }

// ExpectNobody waits until no process of the tree lives, the command included. When the
// limit has passed, it fails the test and names the processes, or says why the answer is
// unknown.
func (t *Tree) ExpectNobody() {
	t.stage.t.Helper()
	ctx, cancel := t.stage.bound(t.limit)
	defer cancel()
	tick := time.NewTicker(tickTime) // no event reports the end of what has closed the oracle
	defer tick.Stop()
	for {
		census := t.census()
		if census.Alive == No {
			t.track.record(Event{What: "asked: " + census.String()})
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.track.record(Event{What: "asked: " + census.String()})
			t.stage.t.Fatalf("%s", t.failure(fmt.Errorf("expect that no process of %q lives: %w: %s", t.words(), context.Cause(ctx), census)))
		}
	}
}

// tickTime is the time between two looks at what no event reports.
const tickTime = 5 * time.Millisecond

// failure returns the message of a failed wait, with the warden's last words.
func (t *tree) failure(err error) string {
	text := t.name + ": " + err.Error()
	if errors.Is(err, errWardenGone) {
		text += t.stage.wardenLog()
	}
	return strings.TrimSpace(text)
}

// Signal sends a signal to a process, or to a group if pid is negative, and adds that to
// the timeline. The caller makes sure that no other process has the PID by now.
func (s *Stage) Signal(pid int, signal syscall.Signal) error {
	done := s.spec.begin(Event{What: fmt.Sprintf("sends %s to %d", unix.SignalName(signal), pid)})
	err := syscall.Kill(pid, signal)
	done(outcome(err))
	if err != nil {
		return fmt.Errorf("signal %d: %w", pid, err)
	}
	return nil
}
