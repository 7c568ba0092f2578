package monitor

import (
	"context"
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
	woken := make(chan struct{}, 1)
	wake := func() {
		select {
		case woken <- struct{}{}:
		default:
		}
	}
	w.Notify(wake)
	defer context.AfterFunc(ctx, wake)()
	for {
		if over, err := w.Advance(ctx); over {
			return err
		}
		<-woken
	}
}

// Notify and [Watching.Advance] are Run for a process that watches many runtimes: one that
// rests has no goroutine, whose stack would be most of what it takes.
//
// Notify has a function called when there may be something to do, from then on. The caller
// calls Advance after Notify, after each wake that came since the last Advance began, and after
// the end of the ctx. wake may be called from any goroutine, also after the end. It returns at
// once, and calls no method.
func (w *Watching) Notify(wake func()) {
	w.wake = wake
	for _, b := range []*bell{&w.stopper.told, &w.hooking.ended, &w.hooking.forgo.told, &w.newcomers.came, &w.releaser.told} {
		b.arm(wake)
	}
	if w.released != nil {
		w.released.arm(wake)
	}
	if w.mounts != nil {
		w.mounts.arm(wake)
	}
	w.tree.Notify(wake)
}

// Advance does what there is to do for the runtime. It is over when the watching has ended, as
// Run ends, with the error that Run returns: it is closed then, and Advance is not called again. One
// goroutine at a time calls it.
func (w *Watching) Advance(ctx context.Context) (over bool, err error) {
	rests := false
	defer func() {
		if !rests { // also after a panic
			_ = w.Close()
		}
	}()
	for w.result == nil {
		e, ok := w.next(ctx)
		if !ok {
			rests = true
			w.setClock()
			return false, nil
		}
		w.carryOut(ctx, w.life.step(e))
		w.releaser.answer() // what was released is in the journal
		w.hooking.forgo.answer()
	}
	switch w.result.result {
	case resultLeft:
		return true, w.leftAs(ctx.Err())
	case resultFailed:
		return true, w.leftAs(w.failure)
	}
	return true, nil
}

func (w *Watching) leftAs(err error) error {
	return w.runtime.wrap(fmt.Errorf("is left as it is: %w", err))
}

// next returns the next event for the life. It is not ok where there is none.
func (w *Watching) next(ctx context.Context) (e event, ok bool) {
	if e, ok := w.present(ctx); ok {
		return e, true
	}
	if w.receive(ctx); w.result != nil {
		return event{}, true // the life is over
	}
	return w.outside()
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
		return w.release(), true
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

// outside returns what has come from outside: a timer that is due, a release of the lease, an
// unmount, a change of the table.
func (w *Watching) outside() (event, bool) {
	if e, ok := w.timer(time.Now()); ok {
		return e, true
	}
	switch {
	case w.released != nil && w.released.take():
		return event{kind: released}, true
	case w.mounts != nil && w.mounts.take():
		return event{kind: unmounted}, true
	}
	changes, err := w.tree.Pending()
	switch {
	case err != nil:
		w.failure = err
		return event{kind: trackerEnded, reason: err.Error()}, true
	case len(changes) > 0:
		return w.heed(changes), true
	}
	return event{}, false
}

// heed takes changes of the tree, and makes an event of them.
func (w *Watching) heed(changes []trees.Change) event {
	w.logChanges(changes)
	w.countChanges(changes)
	w.endLeftovers(changes)
	return newsOf(changes)
}

// setClock has the next timer wake, if one is set.
func (w *Watching) setClock() {
	w.stopClock()
	if at := w.due(); !at.IsZero() {
		w.clock = time.AfterFunc(time.Until(at), w.wake)
	}
}

func (w *Watching) stopClock() {
	if w.clock != nil {
		w.clock.Stop()
		w.clock = nil
	}
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
