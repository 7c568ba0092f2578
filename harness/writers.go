//go:build darwin || linux

package harness

import (
	"errors"
	"fmt"

	"github.com/gemini-monitor/gemini/harness/internal/terminal"
)

// Writers say whether output can still come.
type writers struct {
	dead   chan struct{} // closed when no process is left that can write, and all was read
	failed chan struct{} // closed with dead, or earlier if the command has failed and all was read that it wrote
}

func newWriters() writers { return writers{make(chan struct{}), make(chan struct{})} }

// follow closes the channels at their time. Ended is closed when the output has ended.
func (w writers) follow(t *tree, ended <-chan struct{}, catchUp func()) {
	select {
	case <-t.process.exited:
		catchUp()
		if t.process.status != (Status{}) {
			close(w.failed)
		}
		t.awaitHolders(ended)
	case <-t.process.guard.gone:
	case <-ended:
	}
	catchUp()
	close(w.dead)
	if !closed(w.failed) {
		close(w.failed)
	}
}

// awaitHolders waits until the descendants of a command have released the oracle, or the
// output has ended.
func (t *tree) awaitHolders(ended <-chan struct{}) {
	if t.oracle == nil {
		return
	}
	select {
	case <-t.oracle.gone:
	case <-t.process.guard.gone:
	case <-ended:
	}
}

// over returns a channel that is closed when a wait for output is to end. A command that
// has failed ends it, though a descendant has the output. One that exits with 0 may have
// started a daemon, and a test that has seen the end of the command knows what it waits for:
// then the wait goes on while a descendant can write.
func (w writers) over(t *tree) <-chan struct{} {
	if t.awaited.Load() {
		return w.dead
	}
	return w.failed
}

// errNotCome is the cause of a search that ends though the output is open.
var errNotCome = errors.New("it has not come")

// missed completes the error of a search: whether the command has ended, and which
// processes keep its output open.
func (w writers) missed(t *tree, r *terminal.Recording, err error) error {
	var search *terminal.NotFound
	if !errors.As(err, &search) {
		return err
	}
	ended := errors.Is(err, terminal.ErrEnded)
	if !ended && !closed(t.process.exited) {
		return err
	}
	holders := ""
	if r.End() == nil { // otherwise no process has it open
		holders = w.holders(t)
	}
	if ended && holders != "" {
		search.Cause = errNotCome
	}
	return fmt.Errorf("%w%s: %w", t.over(), holders, err)
}

// end says how the command has ended, and which processes keep its output open.
func (w writers) end(t *tree) error { return fmt.Errorf("%w%s", t.over(), w.holders(t)) }

// holders names the descendants that can write though the command has ended, "" if there is
// none.
func (w writers) holders(t *tree) string {
	if !closed(t.process.exited) || closed(w.dead) {
		return ""
	}
	_, exact, err := t.process.guard.ask()
	if err != nil {
		return ""
	}
	rest, err := t.rest(exact)
	switch {
	case err == nil && len(rest) > 0:
		return "; its output is open in " + list(rest)
	case t.oracle != nil && t.oracle.holds():
		return "; its output is open in a process that is not found"
	}
	return ""
}
