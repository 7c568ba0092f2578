package monitor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gemini-monitor/gemini/tracker/trees"
)

// Run watches the runtime until it has ended, and closes the Watching. It is
// called once.
//
// Run returns nil when the runtime was found empty and is removed, or idle if it is durable,
// and when its directory was removed or replaced by hand. When ctx ends or the tracker is
// closed, Run returns why and leaves everything as it is. A record or journal that cannot be
// written does not end it, nor does a removal that fails: each is tried again.
func (w *Watching) Run(ctx context.Context) error {
	defer w.Close()
	for w.result == nil {
		w.carryOut(ctx, w.life.step(w.next(ctx)))
		w.releaser.answer() // what was released is in the journal
		w.hooking.forgo.answer()
	}
	switch w.result.result {
	case resultLeft:
		return w.leftAs(ctx.Err())
	case resultFailed:
		return w.leftAs(w.failure)
	}
	return nil
}

func (w *Watching) leftAs(err error) error {
	return w.runtime.wrap(fmt.Errorf("is left as it is: %w", err))
}

// next returns the next event for the life: one that is there, or what await returns.
func (w *Watching) next(ctx context.Context) event {
	for {
		if e, ok := w.present(ctx); ok {
			return e
		}
		if w.receive(ctx); w.result != nil {
			return event{} // the life is over
		}
		if e, ok := w.await(ctx); ok {
			return e
		}
	}
}

// present returns an event that is there. The end of ctx comes first, outcomes come last.
func (w *Watching) present(ctx context.Context) (event, bool) {
	switch {
	case ctx.Err() != nil && !w.leaving:
		w.leaving = true
		return event{kind: leave, changes: w.unwritten()}, true
	case w.stopper.told.take():
		return w.told(), true
	case w.hooking.ended.take():
		return w.hooking.outcome(), true
	case w.hooking.forgo.told.take():
		return w.forgoHook(), true
	case w.releaser.told.take():
		return w.release(ctx), true
	case len(w.events) > 0:
		return w.nextOutcome(), true
	}
	return event{}, false
}

// unwritten returns the members, and the released processes, that the tracker knows and the
// journal does not have: it found them since the life last heard of any.
func (w *Watching) unwritten() (joined []trees.Change) {
	for _, m := range w.tree.Members() {
		if w.journal.members[m.Identity] == nil {
			joined = append(joined, trees.Change{Kind: trees.Joined, Time: m.Joined, Member: m})
		}
	}
	for _, m := range w.tree.Released() {
		if w.journal.released[m.Identity] == nil {
			joined = append(joined, trees.Change{Kind: trees.Released, Time: m.Joined, Member: m})
		}
	}
	return joined
}

func (w *Watching) nextOutcome() event {
	e := w.events[0]
	w.events = w.events[1:]
	return e
}

// What ends a wait for changes of the table.
var (
	errTimer     = errors.New("a timer is due")
	errReleased  = errors.New("the lease was released")
	errUnmounted = errors.New("no file system is mounted in the runtime any more")
	errTold      = errors.New("the members are told to end")
	errHooked    = errors.New("the on-empty command has ended")
	errNewcomer  = errors.New("a process from outside asks to become a member")
	errAsked     = errors.New("a process is to be released")
	errForgone   = errors.New("the on-empty command is given up")
)

// await waits for a change of the table, a release of the lease, an unmount, a timer or
// the end of ctx. It is not ok where the event is none of await's own.
func (w *Watching) await(ctx context.Context) (e event, ok bool) {
	wait, end := context.WithCancelCause(ctx)
	defer end(nil)
	if at := w.due(); !at.IsZero() {
		if e, ok := w.timer(time.Now()); ok {
			return e, true
		}
		defer time.AfterFunc(time.Until(at), func() { end(errTimer) }).Stop()
	}
	if w.released != nil {
		defer w.released.arm(func() { end(errReleased) })()
	}
	if w.mounts != nil {
		defer w.mounts.arm(func() { end(errUnmounted) })()
	}
	defer w.stopper.told.arm(func() { end(errTold) })()
	defer w.hooking.ended.arm(func() { end(errHooked) })()
	defer w.hooking.forgo.told.arm(func() { end(errForgone) })()
	defer w.newcomers.came.arm(func() { end(errNewcomer) })()
	defer w.releaser.told.arm(func() { end(errAsked) })()
	changes, err := w.tree.Changes(wait)
	cause := context.Cause(wait)
	switch {
	case err == nil:
		return w.heed(changes), true
	case ctx.Err() != nil:
		return event{}, false
	case cause == errReleased:
		w.released.take()
		return event{kind: released}, true
	case cause == errUnmounted:
		w.mounts.take()
		return event{kind: unmounted}, true
	case cause == errTimer, cause == errTold, cause == errHooked, cause == errNewcomer, cause == errAsked, cause == errForgone:
		return event{}, false
	}
	w.failure = err
	return event{kind: trackerEnded, reason: err.Error()}, true
}

// heed takes changes of the tree, and makes an event of them.
func (w *Watching) heed(changes []trees.Change) event {
	w.logChanges(changes)
	w.countChanges(changes)
	w.endLeftovers(changes)
	return newsOf(changes)
}

// due returns when the next timer is, or zero where none is set.
func (w *Watching) due() time.Time {
	return sooner(sooner(w.look, w.retry), w.limit)
}

// sooner returns the earlier of two times, of which the zero one is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// timer takes a timer that is due.
func (w *Watching) timer(now time.Time) (event, bool) {
	switch {
	case !w.look.IsZero() && !w.look.After(now):
		w.look = time.Time{}
		return event{kind: look}, true
	case !w.retry.IsZero() && !w.retry.After(now):
		w.retry = time.Time{}
		return event{kind: retry}, true
	case !w.limit.IsZero() && !w.limit.After(now):
		w.limit = time.Time{}
		w.tell(CauseTimeout)
		w.stopper.told.take()
		return w.told(), true
	}
	return event{}, false
}

func (w *Watching) logChanges(changes []trees.Change) {
	for _, c := range changes {
		switch c.Kind {
		case trees.Joined, trees.Left, trees.Released, trees.Ended:
			m := c.Member
			w.log.Debug(string(c.Kind), "process", m.Identity, "command", m.Command, "link", m.Link)
		case trees.Unreadable:
			w.log.Warn(string(c.Kind), "error", c.Err)
		default:
			w.log.Info(string(c.Kind))
		}
	}
}
