package monitor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/gemini-monitor/gemini/internal/flock"
	"github.com/gemini-monitor/gemini/tracker"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// Options are the choices of a caller that watches a runtime. The zero value is ready
// for use.
type Options struct {
	// Log receives what the monitor logs. Where it is nil, nothing is logged.
	Log *slog.Logger
	// Releases should be shared by all runtimes that one process watches. Where it
	// is nil, the runtime gets one of its own.
	Releases *ReleaseNotifier
	// Reserve should be shared by all runtimes that one process watches. Where it is nil,
	// the runtime gets one of its own.
	Reserve *Reserve
	// Counts, if it is set, counts what happens to the runtime.
	Counts *Counts
	// HistoryFailed, if it is set, is called where the line of the removed runtime could not be
	// added to the history. Where it is nil, that is logged.
	HistoryFailed func(error)
	// Owner, if it is set, is that of the runtime which is meant. One with another owner, which
	// may have got the name meanwhile, does not exist.
	Owner process.Identity
	// Waits: the owner waits. It becomes the command only after Attach has returned, as
	// [Store.Run] does. So no other process that is there is a member, though the owner may
	// have made it before. Where Run has made the runtime and no monitor has watched it, that
	// is known without.
	Waits bool
}

// A Watching is the monitor of one runtime, in the calling process.
type Watching struct {
	runtime  *Runtime
	lock     *os.File
	record   Record
	log      *slog.Logger
	releases *ReleaseNotifier
	reserve  *Reserve
	ownsIt   bool // the reserve is of this runtime alone, and ends with it
	tree     *tracker.Tree
	journal  *journal
	// lastWrite is when an earlier monitor wrote into the journal or the record.
	lastWrite time.Time
	lease     *leaseWitness
	claim     *os.File    // see keepFromCleaners
	released  *listener   // nil unless the life listens
	mounts    *mountWatch // nil unless the life watches the mounts
	aside     string      // where the runtime is in the trash, once it was moved there

	life      life
	events    []event // outcomes and answers that the life has not taken yet
	stopper   *stopper
	newcomers newcomers
	releaser  *releaser
	hooking   hookRunner
	wake      func()      // see Notify
	clock     *time.Timer // for the next of the times below, nil while none is set
	look      time.Time
	limit     time.Time // when the time of the runtime is up, zero for never
	ownerGone bool      // the owner has ended
	retry     time.Time
	leaving   bool // the life has taken the end of ctx
	ready     bool
	result    *act  // finish, once the life has returned it
	failure   error // of the tracker
	unsaid    error // of the last write of the record
	unremoved error // of the last removal

	counts        *Counts     // nil where nothing is counted
	lastExit      time.Time   // of a member, as it was reported; only where exits are counted
	historyFailed func(error) // takes why the history could not be written
}

// Attach makes the calling process the monitor of the runtime. It returns when
// the owner is watched, all that descends from it is known, and the record names the
// monitor. It goes on from the journal where an earlier monitor ended. The caller then
// calls [Watching.Run], or [Watching.Close].
//
// The tracker stays the caller's, and may follow other trees too. The error is
// [ErrWatched] when the runtime has a monitor, and [ErrElsewhere] when its
// monitor cannot be here. After an error everything is as it was.
func (r *Runtime) Attach(ctx context.Context, t *tracker.Tracker, o Options) (*Watching, error) {
	w := &Watching{runtime: r, log: o.Log, releases: o.Releases, reserve: o.Reserve, counts: o.Counts, historyFailed: o.HistoryFailed}
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	if w.releases == nil {
		w.releases = &ReleaseNotifier{}
	}
	if w.historyFailed == nil {
		w.historyFailed = func(err error) { w.log.Warn("the history lacks the runtime", "error", err) }
	}
	attached := false
	defer func() {
		if !attached { // a panic too leaves the lock free
			_ = w.Close()
		}
	}()
	var err error
	if err = r.belongsTo(o.Owner); err == nil && w.reserve == nil {
		w.ownsIt = true
		w.reserve, err = NewReserve()
	}
	if err == nil {
		w.lock, err = r.lock(ctx)
	}
	if err == nil {
		err = w.open()
	}
	if err == nil && o.Owner != (process.Identity{}) && w.record.Owner != o.Owner {
		err = r.wrap(ErrNotExist) // another may have had the name before the lock was taken
	}
	if err == nil {
		if err = w.attach(ctx, t, o.Waits); err != nil {
			err = r.wrap(fmt.Errorf("cannot be watched: %w", err))
		}
	}
	if err != nil {
		return nil, err
	}
	attached = true
	return w, nil
}

// open opens the files of the locked runtime.
func (w *Watching) open() (err error) {
	r := w.runtime
	if w.record, err = r.Record(); err != nil {
		return err
	}
	if w.record.State == StateIdle {
		return r.wrap(fmt.Errorf("%w: there is nothing to watch", ErrIdle))
	}
	if err = w.record.visible(); err == nil {
		w.lastWrite = r.lastWrite()
		if w.record.outlived() {
			err = os.Truncate(r.path(journalFile), 0)
		}
	}
	if err == nil {
		w.journal, err = openJournal(r.path(journalFile))
	}
	if err == nil {
		w.lease, err = r.leaseWitness()
	}
	if err != nil {
		return r.wrap(fmt.Errorf("cannot be watched: %w", err))
	}
	if err := w.keepFromCleaners(); err != nil {
		w.log.Warn("the directory is not kept from programs that delete what is old", "error", err)
	}
	return nil
}

// attach follows the owner and all that an earlier monitor knew, and writes the
// monitor into the record.
func (w *Watching) attach(ctx context.Context, t *tracker.Tracker, ownerWaits bool) error {
	self, err := process.Self()
	if err != nil {
		return err
	}
	if err := w.journal.named(self.Boot, process.Lookup); err != nil {
		return err
	}
	past := w.past()
	past.Fresh = past.Fresh || ownerWaits
	if w.tree, err = t.Follow(ctx, w.record.Owner, past); err != nil {
		return err
	}
	if past.Fresh {
		w.record.Strangers = w.tree.Strangers()
	}
	w.stopper, w.releaser = newStopper(w.log, w.tree), &releaser{tree: w.tree}
	by := t.Capabilities()
	w.log.Info("watching", "owner", w.record.Owner, "known", len(past.Members), "by", by.Mechanism, "forks", by.Forks)
	if by.Refused != "" {
		w.log.Info("a better mechanism is refused", "reason", by.Refused)
	}
	w.record.Monitor = &self
	if len(w.record.OnEmpty) > 0 {
		w.life.hook = hookDue
	}
	w.life.durable = w.record.Durable
	first := event{kind: begin, changes: w.diedUnwatched()}
	if w.record.State != StateStarting {
		first.kind = beginAgain
		w.journal.resume(w.lastWrite)
	}
	w.settle(ctx, first)
	switch {
	case w.ready:
		w.keepLimits()
		w.introduce(ctx)
		return nil
	case w.result.result == resultReplaced:
		return ErrNotExist
	}
	return w.unsaid
}

// settle takes an event, and the outcomes of what follows from it.
func (w *Watching) settle(ctx context.Context, e event) {
	w.carryOut(ctx, w.life.step(e))
	w.settleOutcomes(ctx)
}

// settleOutcomes takes the outcomes that there are, and those of what follows from them.
func (w *Watching) settleOutcomes(ctx context.Context) {
	for len(w.events) > 0 && w.result == nil {
		w.carryOut(ctx, w.life.step(w.nextOutcome()))
	}
}

// introduce writes the members that there are into the journal, before the owner, or a
// newcomer, goes on: a command that looks at its own runtime finds itself.
func (w *Watching) introduce(ctx context.Context) {
	if len(w.tree.Members()) == 0 {
		return // Changes would wait
	}
	if changes, err := w.tree.Changes(ctx); err == nil { // else Run meets the error
		w.settle(ctx, w.heed(changes))
	}
}

// diedUnwatched returns the changes that no monitor saw: the members and the released
// processes by the journal that are dead.
func (w *Watching) diedUnwatched() (left []trees.Change) {
	alive := make(map[process.Identity]bool)
	for _, m := range w.tree.Members() {
		alive[m.Identity] = true
	}
	for id, m := range w.journal.members {
		if !alive[id] {
			left = append(left, trees.Change{Kind: trees.Left, Time: time.Now(), Member: *m})
		}
	}
	for id, m := range w.journal.released {
		if now, err := process.Lookup(id.PID); errors.Is(err, process.ErrGone) || err == nil && now.Identity != id {
			left = append(left, trees.Change{Kind: trees.Ended, Time: time.Now(), Member: *m})
		}
	}
	return left
}

// lastWrite returns when the journal or the record was last written, zero where that is not
// known.
func (r *Runtime) lastWrite() (last time.Time) {
	for _, name := range []string{recordFile, journalFile} {
		if info, err := os.Stat(r.path(name)); err == nil && info.ModTime().After(last) {
			last = info.ModTime()
		}
	}
	return last
}

// Runtime returns the runtime that is watched.
func (w *Watching) Runtime() *Runtime { return w.runtime }

// Store returns the store that the runtime is in.
func (w *Watching) Store() *Store { return w.runtime.store }

// Tree returns the tree of processes that is followed, for calls between Attach and Run.
func (w *Watching) Tree() *tracker.Tree { return w.tree }

// Close ends the watching and leaves the runtime as it is. After Run it does
// nothing.
func (w *Watching) Close() error {
	w.stopClock()
	w.endListening()
	w.newcomers.close()
	var err error
	w.hooking.kill()
	w.hooking.forgo.end()
	if w.stopper != nil {
		w.stopper.end(w.result != nil && w.result.result.ended())
	}
	if w.releaser != nil {
		w.releaser.end()
	}
	if w.tree != nil {
		err = w.tree.Close()
		w.tree = nil
	}
	err = errors.Join(err, w.closeFiles())
	w.hooking.stop() // before the lock is free: the next monitor runs the command too
	if w.lock != nil {
		err = errors.Join(err, w.lock.Close())
		w.lock = nil
	}
	return err
}

// keepFromCleaners holds a shared flock(2) on the directory of the runtime. Programs that
// delete what is old leave a directory alone that another process has locked, and all that
// is in it: systemd-tmpfiles does (tmpfiles.d(5); docs/linux.md L48).
//
// Where such a program is just at the directory, or no descriptor is left, the monitor goes
// on without the lock. Each write of the record or the journal tries again.
func (w *Watching) keepFromCleaners() error {
	if w.claim != nil || w.aside != "" {
		return nil
	}
	claim, err := os.Open(w.runtime.Dir())
	if err != nil {
		return err
	}
	got, err := flock.Try(claim, false)
	if !got {
		return errors.Join(err, claim.Close())
	}
	w.claim = claim
	return nil
}

func (w *Watching) closeFiles() (err error) {
	if w.journal != nil {
		err = w.journal.close()
		w.journal = nil
	}
	if w.lease != nil {
		err = errors.Join(err, w.lease.close())
		w.lease = nil
	}
	if w.ownsIt && w.reserve != nil {
		err = errors.Join(err, w.reserve.Close())
	}
	return errors.Join(err, w.dropClaim())
}

// dropClaim ends the lock that keepFromCleaners has taken.
func (w *Watching) dropClaim() (err error) {
	if w.claim != nil {
		err = w.claim.Close()
		w.claim = nil
	}
	return err
}
