package tracker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/internal/kernel"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// ErrSelf reports that a tracker was asked to follow its own process, which it
// never counts.
var ErrSelf = errors.New("a tracker does not follow its own process")

// ErrClosed reports the use of a [Watcher], [Tracker] or [Tree] after its Close.
var ErrClosed = errors.New("closed")

// ErrMayHaveMissed reports that no process of a tree is known any more, but that there
// may be some: the tree was begun by [Tracker.Track], and its root may have had children
// that were orphans before it was watched.
var ErrMayHaveMissed = errors.New("processes that were orphans before the root was watched may have been missed")

// ErrLeaseHeld reports that no process of a tree is in the process table, but that one
// holds the lease that [Tracker.Start] gave to it.
var ErrLeaseHeld = errors.New("no process of the tree is found, but its lease is held")

// A Tracker follows trees. Its methods may be called from any goroutine.
//
// It runs one goroutine, which sleeps in the kernel while nothing happens to
// the trees, and reads the process table only when something did.
type Tracker struct {
	follower *core.Follower
	log      *slog.Logger
	refused  string               // why a better mechanism is not in use; set before the tracker is handed out
	done     chan struct{}        // closed when the goroutine has ended
	handles  map[*core.Tree]*Tree // of those that are followed; guarded by the follower's lock
	readable bool                 // the last read gave a table; only for the goroutine

	mu       sync.Mutex
	commands []func()
	waiters  map[*core.Tree][]*waiter
	err      error // why the tracker ended; ErrClosed after Close
}

// New returns a tracker that follows nothing yet. Close it after use. It never
// counts the process that it runs in. The error is [errors.ErrUnsupported] on
// systems other than macOS and Linux, and where options name a mechanism that this
// system does not have.
func New(options Options) (*Tracker, error) {
	k, refused, err := kernel.Open(string(options.Mechanism))
	if err != nil {
		return nil, fmt.Errorf("open tracker: %w", err)
	}
	t := newTracker(k, options.logger())
	t.follower.Apart(options.Apart)
	if refused != nil {
		t.refused = refused.Error()
		t.log.Debug("a better mechanism is refused", "mechanism", t.Capabilities().Mechanism, "error", refused)
	}
	return t, nil
}

// newTracker returns a tracker on a kernel and starts its goroutine.
func newTracker(k core.Kernel, log *slog.Logger) *Tracker {
	k.Inherit()
	t := trackerOf(core.NewFollower(k, os.Getpid(), time.Now), log)
	go t.run()
	return t
}

func trackerOf(f *core.Follower, log *slog.Logger) *Tracker {
	f.Publish()
	return &Tracker{follower: f, log: log, done: make(chan struct{}), handles: make(map[*core.Tree]*Tree), waiters: make(map[*core.Tree][]*waiter), readable: true}
}

// Close ends the tracker and all its trees. Calls that wait for a tree return
// [ErrClosed].
func (t *Tracker) Close() error {
	t.mu.Lock()
	if errors.Is(t.err, ErrClosed) {
		t.mu.Unlock()
		return ErrClosed
	}
	t.err = ErrClosed
	t.mu.Unlock()
	t.follower.Kernel.Wake()
	<-t.done
	t.closeLeases()
	return t.follower.Kernel.Close()
}

// Track follows the tree of a living process: the process itself, all that
// descends from it now and all that will. When it returns, the root is watched
// and every process that could be found below it is a member.
//
// The error is [process.ErrGone] when the root is dead or exiting, and [ErrSelf]
// when it is the calling process. Any other living process may be the root: one of
// another user, an ancestor of the calling process, init (whose tree never ends). A
// caller that knows the root's [process.Identity] from before, and wants no later
// process with its PID, calls Resume with it.
//
// What was made an orphan before the call, and stays in no group or session of the tree,
// cannot be found: a tree that Track began is never empty with certainty. When its last
// known member has gone, the verdict is [trees.Unknown] with [ErrMayHaveMissed], which
// Wait returns. A caller that starts the root calls [Tracker.Start]; one that knows all
// that the root has made calls Resume.
//
// A root that is a member of another tree begins a tree inside that one: its
// members belong to both, and [Tracker.TreeOf] names the inner. When ctx ends
// first, nothing is followed.
func (t *Tracker) Track(ctx context.Context, root int) (*Tree, error) {
	if root == os.Getpid() {
		return nil, fmt.Errorf("track process %d: %w", root, ErrSelf)
	}
	tree, err := t.begin(ctx, origin{late: true}, func() (*core.Tree, error) { return t.follower.Track(root) })
	if err != nil {
		return nil, fmt.Errorf("track process %d: %w", root, err)
	}
	return tree, nil
}

// Resume follows a tree whose root and members were established earlier,
// perhaps by another process. Those that are dead still serve as links. It is
// no error when all are dead: the tree is then found empty, since the caller answers for
// it that the root has made no others before. The error is [process.ErrElsewhere] when
// that cannot be found out from this namespace, and [ErrSelf] when the root is the calling
// process. Where that was a member, before it ran this program, it does not count, and the
// children that it had do.
func (t *Tracker) Resume(ctx context.Context, root process.Identity, known []process.Identity) (*Tree, error) {
	return t.Follow(ctx, root, trees.History{Members: known})
}

// Follow is [Tracker.Resume] with all that can be known of a tree.
func (t *Tracker) Follow(ctx context.Context, root process.Identity, h trees.History) (*Tree, error) {
	tree, err := t.follow(ctx, root, h)
	if err != nil {
		return nil, fmt.Errorf("resume the tree of process %d: %w", root.PID, err)
	}
	return tree, nil
}

func (t *Tracker) follow(ctx context.Context, root process.Identity, h trees.History) (_ *Tree, err error) {
	if h.Members, err = ofThisBoot(append([]process.Identity{root}, h.Members...)); err != nil {
		return nil, err
	}
	if !slices.Contains(h.Members, root) {
		h.Marks = nil // no process of an earlier boot carries them
	}
	if h.Strangers, err = ofThisBoot(h.Strangers); err != nil {
		return nil, err
	}
	if h.Released, err = ofThisBoot(h.Released); err != nil {
		return nil, err
	}
	if root.PID == os.Getpid() {
		if self, err := process.Lookup(root.PID); err == nil && self.Identity == root {
			return nil, ErrSelf
		}
	}
	return t.begin(ctx, origin{}, func() (*core.Tree, error) { return t.follower.Resume(root, h) })
}

// ofThisBoot returns the identities whose PIDs and start times mean something now.
// The processes of the others are dead.
func ofThisBoot(ids []process.Identity) ([]process.Identity, error) {
	boot, err := process.Boot()
	if err != nil {
		return nil, err
	}
	past := make(map[string]bool)
	var ours []process.Identity
	for _, id := range ids {
		if id.Boot == boot {
			ours = append(ours, id)
			continue
		}
		if past[id.Boot] {
			continue
		}
		if err := id.Visible(); err != nil {
			return nil, err
		}
		past[id.Boot] = true
	}
	return ours, nil
}

// TreeOf returns the nearest tree that the process with this PID is known to
// be a member of. It reads nothing from the process table. A process that a member has
// made is known within a few milliseconds. There is one handle for each tree: the one that
// Track or Resume returned, so handles can be compared and be map keys.
//
// For a process that is known, TreeOf takes no lock and waits for nothing. Where it is not,
// and notices may have waited, TreeOf waits until they are taken.
func (t *Tracker) TreeOf(pid int) (tree *Tree, ok bool) {
	if tree, ok = t.PlaceOf(pid).Tree(); ok || !t.follower.Kernel.Lags() {
		return tree, ok
	}
	_ = t.call(t.follower.Drain) // what was known stays known after Close
	return t.PlaceOf(pid).Tree()
}

// handleOf returns the handle of a tree. It takes no lock.
func (t *Tracker) handleOf(followed *core.Tree) *Tree {
	return followed.Handle(func() any { return &Tree{tracker: t, tree: followed} }).(*Tree)
}

// Capabilities returns the means by which trees are followed here.
func (t *Tracker) Capabilities() Capabilities {
	c := capabilitiesOf(t.follower.Kernel.Forks(), t.follower.Kernel.Lineage())
	c.Refused = t.refused
	return c
}

// begin starts a tree in the tracker's goroutine and waits until the table has
// been read once for it.
func (t *Tracker) begin(ctx context.Context, origin origin, start func() (*core.Tree, error)) (*Tree, error) {
	var handle *Tree
	var failed error
	var reads int
	err := t.call(func() {
		t.follower.Do(func(c *core.Core) { reads = c.Reads() })
		begun, err := start()
		if failed = err; err == nil {
			t.follower.Do(func(*core.Core) {
				handle = t.handleOf(begun)
				handle.origin = origin
				t.handles[begun] = handle
			})
		}
	})
	if err != nil {
		return nil, err
	}
	if failed != nil {
		return nil, failed
	}
	err = t.await(ctx, handle.tree, func(c *core.Core) (bool, error) { return handle.tree.Begun(), c.FailedSince(reads) })
	if err != nil {
		return nil, errors.Join(err, handle.Close())
	}
	return handle, nil
}

// closeLeases ends the leases of all trees. The goroutine has ended.
func (t *Tracker) closeLeases() {
	var leases []*lease
	t.follower.Do(func(*core.Core) {
		for _, tree := range t.handles {
			if tree.origin.lease != nil {
				leases = append(leases, tree.origin.lease)
			}
		}
	})
	for _, l := range leases {
		l.Close()
	}
}

// call has the goroutine carry out a command between two steps, and waits for that.
func (t *Tracker) call(command func()) error { return t.callIn(context.Background(), command) }

// callIn does so until ctx ends. The command is carried out all the same.
func (t *Tracker) callIn(ctx context.Context, command func()) error {
	called := make(chan struct{})
	t.mu.Lock()
	if t.err != nil {
		defer t.mu.Unlock()
		return t.err
	}
	t.commands = append(t.commands, func() {
		defer close(called)
		command()
	})
	t.follower.Kernel.Wake() // under the lock: not after Close
	t.mu.Unlock()
	select {
	case <-called:
		return nil
	case <-t.done:
		return t.failure()
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *Tracker) failure() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// run takes steps until the tracker is closed or its kernel fails.
func (t *Tracker) run() {
	defer close(t.done)
	for t.failure() == nil {
		err := t.follower.Step()
		t.mu.Lock()
		commands := t.commands
		t.commands = nil
		t.mu.Unlock()
		for _, command := range commands {
			command()
		}
		t.logReads()
		t.mu.Lock()
		if err != nil && t.err == nil {
			t.err = fmt.Errorf("tracker ended: %w", err)
			t.log.Error("the tracker ended", "error", err)
		}
		t.endWaits()
		t.mu.Unlock()
	}
	t.mu.Lock()
	t.endWaits() // of calls that began to wait after the last step
	t.mu.Unlock()
}

// logReads logs that the table has become unreadable, or readable again.
func (t *Tracker) logReads() {
	var err error
	t.follower.Do(func(c *core.Core) { err = c.Unreadable() })
	switch {
	case err != nil && t.readable:
		t.log.Warn("the process table cannot be read", "error", err)
	case err == nil && !t.readable:
		t.log.Info("the process table can be read again")
	}
	t.readable = err == nil
}
