package tracker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// ErrSelf reports that a tracker was asked to follow its own process, which it
// never counts.
var ErrSelf = errors.New("a tracker does not follow its own process")

// A Tracker follows trees. Its methods may be called from any goroutine.
//
// It runs one goroutine, which sleeps in the kernel while nothing happens to
// the trees, and reads the process table only when something did.
type Tracker struct {
	follower follower
	done     chan struct{} // closed when the goroutine has ended

	mu       sync.Mutex
	commands []func()
	waiters  []*waiter
	err      error // why the tracker ended; ErrClosed after Close
}

// New returns a tracker that follows nothing yet. Close it after use. It never
// counts the process that it runs in. The error is [errors.ErrUnsupported] on
// systems other than macOS and Linux.
func New() (*Tracker, error) {
	k, err := newSystem()
	if err != nil {
		return nil, fmt.Errorf("open tracker: %w", err)
	}
	return newTracker(k), nil
}

func newTracker(k kernel) *Tracker {
	k.inherit()
	t := &Tracker{
		follower: follower{kernel: k, now: time.Now, spent: processorTime, core: newCore(os.Getpid(), k.forks())},
		done:     make(chan struct{}),
	}
	go t.run()
	return t
}

// Close ends the tracker and all its trees; whoever waits for one gets
// [ErrClosed].
func (t *Tracker) Close() error {
	t.mu.Lock()
	if errors.Is(t.err, ErrClosed) {
		t.mu.Unlock()
		return ErrClosed
	}
	t.err = ErrClosed
	t.mu.Unlock()
	t.follower.kernel.wake()
	<-t.done
	return t.follower.kernel.close()
}

// Track follows the tree of a living process: the process itself, all that
// descends from it now and all that will. When it returns, the root is watched
// and everybody who could be found below it is a member.
//
// The error is [process.ErrGone] when the root is dead or exiting, and [ErrSelf] when it
// is the calling process. Any other living process may be the root: one of another
// user, an ancestor of ours, init (whose tree never ends). Whoever knows the root's
// [process.Identity] from before, and wants no later process with its PID, calls Resume
// with it.
//
// A root that is a member of another tree begins a tree inside that one: its
// members belong to both, and [Tracker.TreeOf] names the inner. When ctx ends
// first, nothing is followed.
func (t *Tracker) Track(ctx context.Context, root int) (*Tree, error) {
	tree, err := t.begin(ctx, func(f *follower) (*tree, error) { return f.track(root) })
	if err != nil {
		return nil, fmt.Errorf("track process %d: %w", root, err)
	}
	return tree, nil
}

// Resume follows a tree whose root and members were established earlier,
// perhaps by another process. Those that are dead still serve as links. It is
// no error when nobody is alive: the tree is then found empty. The error is
// [process.ErrElsewhere] when that cannot be told from here.
func (t *Tracker) Resume(ctx context.Context, root process.Identity, known []process.Identity) (*Tree, error) {
	relatives, err := ofThisBoot(append([]process.Identity{root}, known...))
	if err != nil {
		return nil, fmt.Errorf("resume the tree of process %d: %w", root.PID, err)
	}
	tree, err := t.begin(ctx, func(f *follower) (*tree, error) { return f.resume(root, relatives) })
	if err != nil {
		return nil, fmt.Errorf("resume the tree of process %d: %w", root.PID, err)
	}
	return tree, nil
}

// ofThisBoot leaves out those whose PIDs mean nothing now, because nobody of
// them can be alive.
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
// be a member of. It reads nothing.
func (t *Tracker) TreeOf(pid int) (*Tree, bool) {
	f := &t.follower
	f.mu.Lock()
	defer f.mu.Unlock()
	m := f.core.known[pid]
	if m == nil || m.dead || m.exited {
		return nil, false
	}
	return &Tree{tracker: t, tree: m.tree}, true
}

// Capabilities tells by which means trees are followed here.
func (t *Tracker) Capabilities() Capabilities { return t.follower.kernel.capabilities() }

// begin starts a tree in the tracker's goroutine and waits until the table has
// been read once for it.
func (t *Tracker) begin(ctx context.Context, start func(*follower) (*tree, error)) (*Tree, error) {
	var begun *tree
	var failed error
	var reads int
	err := t.call(func() {
		t.follower.tell(func(c *core) { reads = c.reads })
		begun, failed = start(&t.follower)
	})
	if err != nil {
		return nil, err
	}
	if failed != nil {
		return nil, failed
	}
	tree := &Tree{tracker: t, tree: begun}
	err = t.await(ctx, func(c *core) (bool, error) { return begun.reads > 0, c.failedSince(reads) })
	if err != nil {
		return nil, errors.Join(err, tree.Close())
	}
	return tree, nil
}

// call has a command carried out by the goroutine between two steps, and waits
// for that.
func (t *Tracker) call(command func()) error {
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
	t.follower.kernel.wake() // under the lock: not after Close
	t.mu.Unlock()
	select {
	case <-called:
		return nil
	case <-t.done:
		return t.failure()
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
		err := t.follower.step()
		t.mu.Lock()
		commands := t.commands
		t.commands = nil
		t.mu.Unlock()
		for _, command := range commands {
			command()
		}
		t.mu.Lock()
		if err != nil && t.err == nil {
			t.err = fmt.Errorf("tracker ended: %w", err)
		}
		t.endWaits()
		t.mu.Unlock()
	}
	t.mu.Lock()
	t.endWaits() // those too who began to wait after the last step
	t.mu.Unlock()
}

func (f *follower) track(root int) (*tree, error) {
	if root == f.core.self {
		return nil, ErrSelf
	}
	f.answer() // or an earlier wish not to watch this PID would come after
	p, err := f.kernel.lookup(root)
	if err != nil {
		return nil, err
	}
	again, err := f.watch(p.Identity)
	switch {
	case err != nil:
		return nil, err
	case again.Identity != p.Identity || p.State == process.Zombie:
		f.kernel.remove(root)
		return nil, process.ErrGone
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.core.track(p, f.now()), nil
}

// resume begins the tree of a root with those who are known to belong to it, the
// root among them unless nothing is to be made of it.
func (f *follower) resume(root process.Identity, known []process.Identity) (*tree, error) {
	type relative struct {
		process.Row
		alive bool
	}
	var relatives []relative
	for _, id := range known {
		p, err := f.kernel.lookup(id.PID)
		switch {
		case err == nil && p.Identity == id:
			relatives = append(relatives, relative{p, p.State != process.Zombie})
		case err == nil:
			// The PID is another's: nothing can be linked to this one.
		case errors.Is(err, process.ErrGone):
			relatives = append(relatives, relative{process.Row{Process: process.Process{Identity: id}}, false})
		default:
			return nil, err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.core.begin(root)
	for _, r := range relatives {
		f.core.resume(t, r.Row, r.alive, f.now())
	}
	return t, nil
}
