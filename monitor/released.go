package monitor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gemini-monitor/gemini/tracker"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// A releaser takes the requests that processes of one runtime do not count any more.
type releaser struct {
	requests[process.Identity]
	tree *tracker.Tree
}

// searching is how long the table is read for a process that is not known as a member. While
// processes begin all the time, that may not settle.
const searching = 2 * time.Second

// ErrNoMember reports a process that is no live member of a runtime.
var ErrNoMember = errors.New("is no member")

// Release has a member of the runtime count no more, nor what descends from it: the runtime
// ends when all others have. It returns when that is in the journal, as far as that can be
// written. It may be called from any goroutine, and for one process twice.
//
// The error is [ErrNoMember], [ErrUnwatched], that of ctx, or one about a runtime inside.
func (w *Watching) Release(ctx context.Context, member process.Identity) error {
	var err error
	if !w.releaser.knows(member) { // it may have begun just now
		limited, done := context.WithTimeout(ctx, searching)
		_, _ = w.releaser.tree.Check(limited) // what it found counts, also where it did not settle
		done()
	}
	if err = w.releaser.ask(ctx, member); errors.Is(err, tracker.ErrNoMember) {
		err = ErrNoMember
	}
	switch {
	case errors.Is(err, ErrNoMember):
		return fmt.Errorf("process %d %w of runtime %q", member.PID, ErrNoMember, w.runtime.name)
	case errors.Is(err, tracker.ErrInside):
		return fmt.Errorf("process %d is a member of a runtime inside of %q: it is to be released from that first; \"monitor which %[1]d\" names it", member.PID, w.runtime.name)
	case err != nil:
		return w.runtime.wrap(fmt.Errorf("cannot release process %d: %w", member.PID, err))
	}
	return nil
}

// knows reports whether a process is known as a member, or as a released one.
func (r *releaser) knows(id process.Identity) bool {
	for _, all := range [][]trees.Member{r.tree.Members(), r.tree.Released()} {
		for _, m := range all {
			if m.Identity == id {
				return true
			}
		}
	}
	return false
}

// release carries out the requests to release processes. The changes that follow from that are
// the event: they go to the journal before the requests are answered.
func (w *Watching) release() event {
	changed := false
	for _, one := range w.releaser.take() {
		var counted bool
		if counted, one.err = w.tree.Release(one.what, w.journal.heirs(one.what)...); counted {
			w.log.Info("told to release", "process", one.what)
			changed = true
		}
	}
	if !changed {
		return event{kind: noted}
	}
	changes, err := w.tree.Pending()
	if err != nil {
		return event{kind: noted} // the next event is about the error
	}
	return w.heed(changes)
}

// past returns what is known of the tree of the runtime. Where the start died before there was
// a monitor, its children may live: those that were to start one (package detach). They, and the
// monitor of others that one of them has become, are no members.
func (w *Watching) past() trees.History {
	return trees.History{
		Members: w.journal.relatives(), Released: w.journal.allReleased(),
		Strangers: w.record.Strangers, Marks: w.record.Marks, Fresh: w.record.ownerWaits(),
	}
}
