//go:build darwin || linux

package harness

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/gemini-monitor/gemini/harness/internal/screen"
	"github.com/gemini-monitor/gemini/harness/internal/terminal"
)

// A Terminal is a command at a pseudo-terminal of its own. It leads a session. One
// goroutine uses it. Methods that wait fail the test, with the last output.
type Terminal struct {
	Tree
	*screenParts
}

// screenParts are what all copies of a Terminal share.
type screenParts struct {
	terminal *terminal.Terminal
	writers
	read   int    // offset of the output that no method has returned yet
	closed bool   // by Hangup
	typed  string // the last line or key, for messages about a prompt

	mu     sync.Mutex
	screen *screen.Screen
	drawn  chan struct{} // closed and replaced when the screen changes
}

// newScreenParts connects a screen to a terminal.
func newScreenParts(t *terminal.Terminal, rows, columns int) *screenParts {
	p := &screenParts{terminal: t, writers: newWriters(), screen: screen.New(rows, columns), drawn: make(chan struct{})}
	t.Answer(p.draw)
	return p
}

// draw shows output and returns what the terminal answers to it.
func (p *screenParts) draw(shown []byte) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = p.screen.Write(shown) // it has no errors
	close(p.drawn)
	p.drawn = make(chan struct{})
	return p.screen.Replies()
}

// A Key is a key that is not text.
type Key string

// The keys, as terminals send them.
const (
	CtrlC     Key = "\x03"
	CtrlD     Key = "\x04"
	CtrlZ     Key = "\x1a"
	Enter     Key = "\r"
	Tab       Key = "\t"
	Escape    Key = "\x1b"
	Backspace Key = "\x7f"
	Up        Key = "\x1b[A"
	Down      Key = "\x1b[B"
	Right     Key = "\x1b[C"
	Left      Key = "\x1b[D"
)

// Key presses a key. In the usual mode of a terminal (cooked), CtrlC and CtrlZ discard what
// was typed before and the program has not read yet, also by Send: wait for an effect of the
// text first.
func (t *Terminal) Key(key Key) {
	t.stage.t.Helper()
	t.typed = terminal.Visible(string(key))
	t.Press(string(key))
}

// Press types text without Return. It waits while the terminal cannot take more input. It
// fails the test if the command has ended and no descendant has the terminal.
func (t *Terminal) Press(text string) {
	t.stage.t.Helper()
	t.mustLive(fmt.Sprintf("type %q", brief(text, 200)))
	if err := t.terminal.Type([]byte(text), time.Now().Add(t.limit)); err != nil {
		t.stage.t.Fatalf("%s: %v", t.name, err)
	}
}

// Send types line and a line feed, and does not wait for output. A program in raw mode takes Enter for
// the end of a line: see Key. What is typed is in the report, a password as well. Send fails
// the test if the line has 1024 bytes or more, as macOS drops the rest of such a line, and
// after the end, as Press does.
func (t *Terminal) Send(line string) {
	t.stage.t.Helper()
	if len(line) >= 1024 {
		t.stage.t.Fatalf("%s: a line of %d bytes is too long to be typed", t.name, len(line))
	}
	t.typed = line
	t.Press(line + "\n")
}

// Expect waits until the output after the last match has one of the alternatives. Each is
// a string, which is taken literally, or a [Pattern]. Of several that have come, the one that
// begins first in the output wins, and of those that begin together the first in the list.
// It looks at the bytes that were shown; ExpectScreen at what is seen.
//
// It fails the test when the program has ended without it. If a descendant still has the
// terminal, that depends on the exit status, as [Job.Expect] has it.
func (t *Terminal) Expect(alternatives ...any) Match {
	t.stage.t.Helper()
	match, err := t.find(t.terminal.Recording, alternatives, t.read, t.writers)
	if err != nil {
		err = early(err, t.terminal.Recording, alternatives, t.read)
		t.stage.t.Fatalf("%s%s", t.failure(err), t.hint(alternatives))
	}
	t.read = match.end
	return match
}

// Screen returns what is seen on the terminal now: a line for each row, without the blanks
// at its end and without the empty rows at the end of the screen.
func (t *Terminal) Screen() string {
	t.terminal.CatchUp()
	text, _ := t.look()
	return text
}

// Output returns all that the terminal has shown so far, with the line ends \n and with the
// escape sequences. After the end of a process it has all that the process wrote.
func (t *Terminal) Output() string {
	t.terminal.CatchUp()
	return t.terminal.Text(0, t.terminal.Len())
}

// lastOutput returns the end of the output as a part of a message, "" without any.
func (t *Terminal) lastOutput() string {
	t.terminal.CatchUp()
	if t.terminal.Len() == 0 {
		return ""
	}
	return fmt.Sprintf("; last output: %q", t.terminal.Last(0))
}

// look returns what is seen, and a channel that is closed when that changes.
func (p *screenParts) look() (string, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.screen.Text(), p.drawn
}

// ScreenANSI is Screen with the colours, as escape sequences.
func (t *Terminal) ScreenANSI() string {
	t.terminal.CatchUp()
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.screen.ANSI()
}

// ExpectEcho waits until the terminal shows what is typed, or until it does not, as at the
// prompt for a password. A program may print the prompt before it turns the echo off.
func (t *Terminal) ExpectEcho(on bool) {
	t.stage.t.Helper()
	ctx, cancel := t.stage.bound(t.limit)
	defer cancel()
	tick := time.NewTicker(tickTime) // no event reports a change of the mode
	defer tick.Stop()
	for {
		now, err := t.terminal.Echo()
		if err == nil && now == on {
			return
		}
		select {
		case <-tick.C:
		case <-t.writers.over(t.tree):
			t.stage.t.Fatalf("%s", t.failure(fmt.Errorf("expect echo %v: %w", on, t.writers.end(t.tree))))
		case <-ctx.Done():
			t.stage.t.Fatalf("%s", t.failure(fmt.Errorf("expect echo %v: %w", on, context.Cause(ctx))))
		}
	}
}

// mustLive fails the test if the terminal was closed by Hangup, or if its command has ended
// and no descendant is known to live.
func (t *Terminal) mustLive(verb string) {
	t.stage.t.Helper()
	switch {
	case t.closed:
		t.stage.t.Fatalf("%s: %s: the test has closed the terminal by Hangup", t.name, verb)
	case closed(t.process.exited):
		// Where the warden does not adopt orphans, on macOS, the exit of the leader has
		// revoked the terminal.
		if children, exact, err := t.process.guard.ask(); err != nil || !exact || !children {
			t.stage.t.Fatalf("%s: %s: %v", t.name, verb, t.ended())
		}
	}
}

// Resize sets the size of the terminal. If it changes, the kernel sends SIGWINCH to the
// foreground group. As Press, it fails the test after the end.
//
// The old screen stays until the program draws: wait for something that is not on it, such as
// the new size or a text in another place.
func (t *Terminal) Resize(rows, columns int) {
	t.stage.t.Helper()
	t.mustLive("resize")
	done := t.track.begin(Event{PID: t.PID(), What: fmt.Sprintf("its terminal gets %d rows of %d columns", rows, columns)})
	t.mu.Lock()
	t.screen.Resize(rows, columns)
	t.mu.Unlock()
	err := t.terminal.Resize(rows, columns)
	done(outcome(err))
	if err != nil {
		t.stage.t.Fatalf("%s: resize: %v", t.name, err)
	}
}

// Echo makes the terminal show what is typed from now on, or not. A program may change
// that, too.
func (t *Terminal) Echo(on bool) {
	t.stage.t.Helper()
	if err := t.terminal.SetEcho(on); err != nil {
		t.stage.t.Fatalf("%s: echo: %v", t.name, err)
	}
}

// Hangup closes the terminal, as closing its window does. The kernel sends SIGHUP to the
// command, and a program that reads gets an error or the end of input (EIO, EOF) at the same
// time. Which comes first is open, so ExpectKilled(syscall.SIGHUP) is right for a program
// that does not read only: another one may exit because of the error. Wait accepts both.
func (t *Terminal) Hangup() {
	t.track.record(Event{PID: t.PID(), What: "its terminal is closed"})
	t.closed = true
	t.terminal.Hangup()
}

// ForegroundGroup returns the foreground process group of the terminal.
func (t *Terminal) ForegroundGroup() (int, error) { return t.terminal.ForegroundGroup() }

// Transcript returns all input and output so far, with times.
func (t *Terminal) Transcript() string { return t.terminal.Transcript() }

// close releases the terminal after its command was reaped.
func (t *Terminal) close() error {
	err := t.terminal.Close()
	<-t.dead
	return err
}
