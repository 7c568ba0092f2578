package monitor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/gemini-monitor/gemini/tracker"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// A Newcomer is a process from outside that asks to become a member of a runtime. It holds
// the lease already, and waits for the answer.
type Newcomer struct {
	Process process.Identity
	// Strangers are processes that it has made before, or that are in a group or session of
	// its making. They do not join with it.
	Strangers []process.Identity
	// Left, if it is set, reports that the process does not wait for the answer any more.
	Left func() bool
}

// ErrRefused reports that a runtime takes no process from outside now: its members are told
// to end, or none is known to live.
var ErrRefused = errors.New("cannot be joined")

// ErrBeside reports a newcomer that is a member of another runtime of the same monitor, which
// does not lie around the one that it is to join. A process counts for one of them.
var ErrBeside = errors.New("is a member of another runtime, which does not lie around it")

// errLeft reports a newcomer that does not wait any more.
var errLeft = errors.New("the process does not wait any more")

// newcomers are those that wait for the answer of a monitor.
type newcomers struct {
	came bell

	mu      sync.Mutex
	over    bool // the monitor answers no more
	waiting []*candidate
}

// A candidate is a newcomer that waits, and its answer.
type candidate struct {
	Newcomer
	answer chan error // takes one
}

// enter has a newcomer wait.
func (n *newcomers) enter(one Newcomer) (*candidate, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.over {
		return nil, ErrUnwatched
	}
	c := &candidate{one, make(chan error, 1)}
	n.waiting = append(n.waiting, c)
	n.came.ring()
	return c, nil
}

// all returns those that wait.
func (n *newcomers) all() []*candidate {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.waiting)
}

// leave reports whether a newcomer was still waiting, which it does not any more.
func (n *newcomers) leave(c *candidate) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	before := len(n.waiting)
	n.waiting = slices.DeleteFunc(n.waiting, func(other *candidate) bool { return other == c })
	return len(n.waiting) < before
}

// answer answers a newcomer.
func (n *newcomers) answer(c *candidate, err error) {
	n.leave(c)
	c.answer <- err
}

// close refuses all that wait, and all that come later.
func (n *newcomers) close() {
	n.mu.Lock()
	waiting := n.waiting
	n.over, n.waiting = true, nil
	n.mu.Unlock()
	for _, c := range waiting {
		c.answer <- ErrUnwatched
	}
}

// Join makes a process from outside a member of the runtime. When it returns nil, the process
// is watched and in the journal, so that the next monitor knows it too. What it makes from
// then on are members too. It is no error if the process is a member already. Join may be
// called from any goroutine, while Run runs.
//
// The error is [ErrRefused], with [ErrBeside] or [process.ErrGone] where that is why,
// [ErrUnwatched] or that of ctx. A process that is refused because the journal cannot be written counts until it ends,
// as nothing shows it to be no member.
func (w *Watching) Join(ctx context.Context, one Newcomer) error {
	c, err := w.newcomers.enter(one)
	if err != nil {
		return w.runtime.wrap(err)
	}
	select {
	case err = <-c.answer:
	case <-ctx.Done():
		if w.newcomers.leave(c) {
			return w.runtime.wrap(fmt.Errorf("%w: %w", ErrRefused, context.Cause(ctx)))
		}
		err = <-c.answer // it is being decided
	}
	if err != nil {
		return w.runtime.wrap(err)
	}
	return nil
}

// receive answers the newcomers of which it can be decided. The others wait for what the
// tracker reports next. It is called when the life has taken all outcomes.
func (w *Watching) receive(ctx context.Context) {
	w.newcomers.came.take()
	for _, c := range w.newcomers.all() {
		if w.result != nil {
			return // Close answers
		}
		err := w.consider(ctx, c.Newcomer)
		if !errors.Is(err, errUndecided) {
			w.newcomers.answer(c, err)
		}
	}
}

// errUndecided reports a newcomer of which nothing can be decided yet.
var errUndecided = errors.New("not decided yet")

// consider admits or refuses a newcomer.
func (w *Watching) consider(ctx context.Context, one Newcomer) error {
	verdict, reason := w.life.admits()
	if told := w.stopper.asked(); told != nil { // the life may not know it yet
		verdict, reason = refused, told.reason()
	}
	switch {
	case one.Left != nil && one.Left():
		return errLeft
	case verdict == refused:
		return fmt.Errorf("%w: %s", ErrRefused, reason)
	case verdict == undecided:
		return errUndecided
	}
	err := w.tree.Join(ctx, one.Process, one.Strangers)
	switch {
	case err == nil:
		return w.register(ctx, one)
	case errors.Is(err, tracker.ErrVacant):
		return errUndecided // a change follows: a member that was not known, or that it is empty
	case errors.Is(err, tracker.ErrApart):
		return fmt.Errorf("%w: process %d %w", ErrRefused, one.Process.PID, ErrBeside)
	}
	return fmt.Errorf("%w: %w", ErrRefused, err)
}

// register writes a newcomer that has become a member into the journal, and the strangers
// that came with it into the record.
func (w *Watching) register(ctx context.Context, one Newcomer) error {
	if w.journal.members[one.Process] != nil {
		return nil // it was one before
	}
	w.log.Info("a process from outside is a member", "process", one.Process)
	w.record.Strangers = w.tree.Strangers()
	w.introduce(ctx)
	w.carryOut(ctx, []act{{kind: writeRecord, says: w.life.said}})
	w.settleOutcomes(ctx)
	switch {
	case w.result != nil:
		return ErrUnwatched
	case w.life.journalBehind:
		return fmt.Errorf("%w: its journal cannot be written, see %s", ErrRefused, w.runtime.path(logFile))
	}
	return nil
}
