package monitor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/gemini-monitor/gemini/internal/erase"
	"github.com/gemini-monitor/gemini/tracker"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// carryOut carries out acts in order, and keeps the outcomes for the life.
func (w *Watching) carryOut(ctx context.Context, acts []act) {
	if w.stopper != nil {
		w.stopper.hear(w.life.stays(), time.Now())
	}
	for _, a := range acts {
		w.carryOutOne(ctx, a)
	}
}

func (w *Watching) carryOutOne(ctx context.Context, a act) {
	switch a.kind {
	case writeRecord:
		_ = w.keepFromCleaners() // that it failed was logged at the start
		w.unsaid = w.write(a.says)
		w.report(w.unsaid, recorded, unrecorded)
	case appendJournal:
		_ = w.keepFromCleaners()
		w.report(w.append(a.changes), journaled, unjournaled)
	case askLease:
		w.askLease(ctx)
	case checkTable:
		w.checkTable(ctx)
	case remove:
		w.unremoved = w.remove()
		w.report(w.unremoved, removed, unremoved)
	case makeIdle:
		w.report(w.makeIdle(), idled, unidled)
	case runHook:
		w.runHook()
	case listen:
		w.listen()
	case endListening:
		w.endListening()
	case watchMounts:
		w.watchMounts()
	case setLook:
		w.look = time.Now().Add(a.after)
	case setRetry:
		w.retry = time.Now().Add(a.after)
	case writeLog:
		w.writeLog(a)
	case ready:
		w.ready = true
	case finish:
		w.result = &a
	}
}

// report keeps an outcome for the life. That the runtime does not exist any more
// means in each case that its directory was removed or replaced.
func (w *Watching) report(err error, good, bad eventKind) {
	e := event{kind: good}
	switch {
	case errors.Is(err, ErrNotExist):
		e.kind = replaced
	case err != nil:
		e.kind, e.reason = bad, err.Error()
	}
	w.events = append(w.events, e)
}

// write replaces the record, if the runtime is still the one that was locked.
func (w *Watching) write(says statement) error {
	if err := w.stillOurs(); err != nil {
		return err
	}
	w.countStatement(says)
	w.record.State, w.record.Reason = says.state, says.reason
	err := w.record.write(w.dir())
	if w.aside == "" {
		w.journal.state(says)
	}
	return err
}

// append adds changes to the journal. A runtime in the trash needs none any more.
func (w *Watching) append(changes []trees.Change) error {
	if w.aside != "" {
		return nil
	}
	return w.journal.append(changes)
}

// dir returns where the runtime is.
func (w *Watching) dir() string {
	if w.aside != "" {
		return w.aside
	}
	return w.runtime.Dir()
}

// stillOurs returns [ErrNotExist] where the runtime was removed by hand, also where
// a later runtime has its name. The name in the trash is no other runtime's.
func (w *Watching) stillOurs() error {
	if w.aside != "" {
		_, err := os.Lstat(w.aside)
		if errors.Is(err, fs.ErrNotExist) {
			err = ErrNotExist
		}
		return err
	}
	ours, err := w.runtime.lockedBy(w.lock)
	if err == nil && !ours {
		err = ErrNotExist
	}
	return err
}

func (w *Watching) askLease(ctx context.Context) {
	isFree, err := w.lease.free()
	e := event{kind: held}
	if err == nil && !isFree {
		isFree, e.reason = w.heldByReleased(ctx)
	}
	switch {
	case err != nil:
		e = event{kind: unasked, reason: err.Error()}
	case isFree:
		// The tracker may have found a process since, and the life has not taken
		// that event yet.
		e.kind = free
		if verdict, _ := w.tree.Verdict(); verdict != trees.Empty {
			e.kind = unsettled
		}
	}
	w.events = append(w.events, e)
}

func (w *Watching) checkTable(ctx context.Context) {
	verdict, err := w.tree.Check(ctx)
	e := event{kind: vacant}
	switch {
	case errors.Is(err, tracker.ErrClosed):
		w.failure = err
		e = event{kind: trackerEnded, reason: err.Error()}
	case err != nil:
		e = event{kind: unchecked, reason: err.Error()}
	case verdict == trees.Alive:
		e.kind = alive
	}
	w.events = append(w.events, e)
}

// remove removes the runtime, if it is still the one that was locked. Where it is in
// the trash, what is left of it is deleted.
func (w *Watching) remove() error {
	if w.record.Durable {
		return errors.New("it is durable")
	}
	defer w.reserve.lend()()
	if w.aside == "" {
		if err := w.stillOurs(); err != nil {
			return err
		}
		aside, err := w.runtime.setAside()
		if err != nil {
			return err
		}
		w.aside = aside
		w.dropClaim() // deleting needs descriptors
		w.newcomers.close()
		w.countRemoval()
		w.keepPast()
	}
	return w.runtime.delete(w.aside)
}

// keepPast adds the runtime to the history. That it cannot be written keeps no runtime.
func (w *Watching) keepPast() {
	if err := w.runtime.store.addPast(pastOf(w.record, time.Now())); err != nil {
		w.historyFailed(err)
	}
}

// watchMounts begins to report when nothing is mounted in the runtime any more, where
// that is what keeps it. Where it fails, the look timer remains.
func (w *Watching) watchMounts() {
	w.endWatchingMounts()
	if !errors.Is(w.unremoved, erase.ErrMounted) {
		return
	}
	m, err := watchMounted(w.dir())
	if err != nil {
		w.log.Warn("unmounts are not reported", "error", err)
		return
	}
	w.mounts = m
	w.awaken(&m.bell)
}

func (w *Watching) endWatchingMounts() {
	if w.mounts != nil {
		w.mounts.stop()
		w.mounts = nil
	}
}

// listen begins to report releases of the lease. Where that fails, the look timer
// remains.
func (w *Watching) listen() {
	if w.released != nil {
		return
	}
	var err error
	if w.released, err = w.releases.listen(w.runtime.path(leaseFile)); err != nil {
		w.log.Warn("releases of the lease are not reported", "error", err)
		return
	}
	w.awaken(&w.released.bell)
}

// awaken has a bell wake from now on. Before Notify nothing is to be woken.
func (w *Watching) awaken(b *bell) {
	if w.wake != nil {
		b.arm(w.wake)
	}
}

func (w *Watching) endListening() {
	if w.released != nil {
		w.released.close()
		w.released = nil
	}
	w.endWatchingMounts()
}

func (w *Watching) writeLog(a act) {
	var words []any
	if a.says.state != "" {
		words = append(words, "state", a.says.state)
	}
	if a.says.state == StateUnknown && w.tree != nil {
		if withheld := w.tree.Withheld(); withheld > 0 {
			words = append(words, "withheld", withheld)
		}
	}
	if a.reason != "" || a.says.reason != "" {
		words = append(words, "reason", a.reason+a.says.reason)
	}
	if a.alarm {
		w.log.Warn(a.text, words...)
		return
	}
	w.log.Info(a.text, words...)
}
