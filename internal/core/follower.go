package core

import (
	"errors"
	"io/fs"
	"slices"
	"sync"
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// A Follower drives a core on a kernel, one step after the other, and decides nothing.
// One goroutine calls Step, Track and Resume; Do may be called from any. The lock
// guards the core and is never held during a system call.
type Follower struct {
	Kernel Kernel
	now    func() time.Time
	asking time.Duration // on environments since the last read; only for the goroutine that steps

	mu      sync.Mutex
	core    *Core
	spent   time.Duration // on reads
	notices []Notice
	rows    []process.Row
}

// NewFollower returns a follower of no tree. Self is the PID of this process, which is
// never a member.
func NewFollower(k Kernel, self int, now func() time.Time) *Follower {
	return &Follower{Kernel: k, now: now, core: newCore(self, k.Forks())}
}

// Apart names processes that are never members, as this one is not. It is called before a
// tree is begun.
func (f *Follower) Apart(ids []process.Identity) {
	f.mu.Lock()
	defer f.unlock()
	f.core.apart = ids
	for _, id := range ids {
		f.core.moves(id.PID)
	}
}

// Step waits for news or the time of the next read, whichever is first, and does what
// the core makes of it. The error is that of a kernel that announces nothing any more.
func (f *Follower) Step() error {
	if err := f.drain(f.patience()); err != nil {
		return err
	}
	f.answer()
	if f.patience() == 0 {
		return f.look()
	}
	return nil
}

// patience returns how long there is nothing to do unless a notice comes.
func (f *Follower) patience() time.Duration {
	f.mu.Lock()
	defer f.unlock()
	if len(f.core.asks) > 0 {
		return 0
	}
	at, ok := f.core.due()
	if !ok {
		return Forever
	}
	return max(0, at.Sub(f.now()))
}

// rounds is how often drain asks for more notices. The connector, whose notices name
// processes, gives all it has in the first round; kqueue and epoll give 64 in each.
const rounds = 16

// drain takes all notices that are there. It waits for the first one until the
// timeout. Where notices come faster than they can be taken, as in the tree of init on
// a machine that makes processes all the time, it leaves the rest to the next step: reads
// and commands must not wait for ever.
func (f *Follower) drain(timeout time.Duration) (err error) {
	for range rounds {
		if f.notices, err = f.Kernel.Next(f.notices[:0], timeout); err != nil {
			return err
		}
		if len(f.notices) == 0 {
			return nil
		}
		f.Do(func(c *Core) {
			for _, n := range f.notices {
				c.take(n, f.now())
			}
			c.conclude(f.now())
		})
		timeout = 0
	}
	return nil
}

// Drain takes all notices that are there, between two steps.
func (f *Follower) Drain() { _ = f.drain(0) } // the next step returns the error

// look looks at the table once. Every notice is taken first, so that the look is
// known to have begun after it.
func (f *Follower) look() error {
	if err := f.drain(0); err != nil {
		return err
	}
	f.mu.Lock()
	ids := f.core.remains()
	f.unlock()
	if ids != nil {
		found, cost, err := f.Kernel.Inhabited(ids)
		vacant := err == nil && !found
		f.Do(func(c *Core) { c.glanced(vacant, f.now(), cost) })
		if vacant {
			return nil
		}
	}
	return f.readOnce()
}

// readOnce reads the table once.
func (f *Follower) readOnce() error {
	f.mu.Lock()
	f.core.readBegins(f.now())
	f.unlock()
	rows, cost, err := f.Kernel.Read(f.rows[:0])
	f.rows = rows
	f.mu.Lock()
	if err != nil {
		f.spent += cost
		f.core.readFails(err, f.now())
		f.unlock()
		return nil
	}
	f.core.partial = f.Kernel.Partial()
	f.core.read(rows, f.now())
	f.unlock()
	f.answer()
	f.mu.Lock()
	cost, f.asking = cost+f.asking, 0
	f.spent += cost
	f.core.readEnds(f.now(), cost)
	f.unlock()
	return nil
}

// answer does what the core asked for and hands it the outcomes.
func (f *Follower) answer() {
	for {
		a, ok := f.nextAsk()
		if !ok {
			return
		}
		f.answerOne(a)
	}
}

func (f *Follower) nextAsk() (a ask, ok bool) {
	f.mu.Lock()
	defer f.unlock()
	if len(f.core.asks) == 0 {
		return ask{}, false
	}
	a, f.core.asks = f.core.asks[0], f.core.asks[1:]
	return a, true
}

func (f *Follower) answerOne(a ask) {
	switch a.verb {
	case askWatch:
		p, err := f.watch(a.id)
		f.Do(func(c *Core) { c.watched(a.id, p, err, f.now()) })
	case askProbe:
		p, err := f.Kernel.Lookup(a.id.PID)
		f.Do(func(c *Core) { c.probed(a.id, p, err, f.now()) })
	case askUnwatch:
		f.Kernel.Remove(a.id.PID)
	case askMarks:
		marks, cost, err := f.Kernel.Marks(a.row)
		f.Do(func(c *Core) { c.asked(a.id, marks, err, f.now()) })
		f.asking += cost
	}
}

// watch watches a PID and then looks up which process has it. The PID may have gone to
// another process before (docs/xnu.md R9). If it goes to one later, the exit of the
// watched process is announced first.
func (f *Follower) watch(id process.Identity) (process.Row, error) {
	if err := f.Kernel.Add(id.PID); err != nil {
		return process.Row{}, err
	}
	p, err := f.Kernel.Lookup(id.PID)
	if errors.Is(err, process.ErrGone) || errors.Is(err, fs.ErrPermission) {
		// It died just now, watched: its exit will be announced. Or it is hidden, and
		// alive.
		return process.Row{Process: process.Process{Identity: id}}, nil
	}
	return p, err
}

// Reads returns how many reads of the table have begun, and what those that have ended have
// cost.
func (f *Follower) Reads() (n int, cost time.Duration) {
	f.mu.Lock()
	defer f.unlock()
	return f.core.reads, f.spent
}

// Do calls a function on the core, with the lock held.
func (f *Follower) Do(what func(*Core)) {
	f.mu.Lock()
	defer f.unlock()
	what(f.core)
}

// Recheck makes a tree unsettled, so that the table is read anew for it. It returns
// how many reads have begun before.
func (f *Follower) Recheck(t *Tree) (reads int) {
	f.mu.Lock()
	defer f.unlock()
	f.core.recheck(t, f.now())
	return f.core.reads
}

// Track begins a tree at a living process. Its processes carry some marks, the last of which
// is that of the tree. The error is [process.ErrGone] when the root is dead or exiting.
func (f *Follower) Track(root int, marks ...string) (*Tree, error) {
	f.answer() // an earlier ask to stop watching this PID must not come after
	p, err := f.Kernel.Lookup(root)
	if err != nil {
		return nil, err
	}
	again, err := f.watch(p.Identity)
	switch {
	case err != nil:
		return nil, err
	case again.Identity != p.Identity || p.State == process.Zombie:
		f.Kernel.Remove(root)
		return nil, process.ErrGone
	}
	f.mu.Lock()
	defer f.unlock()
	return f.core.plant(p, marks, f.now()), nil
}

// Resume begins the tree of a root with what is known of it. The root is one of the
// members if its identity is of this boot.
func (f *Follower) Resume(root process.Identity, h trees.History) (*Tree, error) {
	type relative struct {
		process.Row
		alive bool
	}
	var relatives []relative
	for _, id := range named(h) {
		p, err := f.Kernel.Lookup(id.PID)
		switch {
		case err == nil && p.Identity == id:
			// This process may have been a member, before it ran this program.
			relatives = append(relatives, relative{p, p.State != process.Zombie && id.PID != f.core.self})
		case err == nil:
			// The PID is another's: nothing can be linked to this one.
		case errors.Is(err, process.ErrGone):
			relatives = append(relatives, relative{process.Row{Process: process.Process{Identity: id}}, false})
		default:
			return nil, err
		}
	}
	alone := f.standsAlone(root, h)
	f.mu.Lock()
	defer f.unlock()
	t := f.core.newTree(root, f.now())
	t.fresh, t.waits = h.Fresh && !alone, h.Fresh
	t.again, t.unsure = !h.Fresh, !h.Fresh
	f.core.carry(t, h.Marks)
	again := recollection{t, make(map[process.Identity]bool, len(relatives))}
	for _, r := range relatives {
		again.names[r.Identity] = true
	}
	for _, r := range relatives {
		released := slices.Contains(h.Released, r.Identity)
		if !released || r.Identity == root {
			f.core.recall(again, r.Row, r.alive, f.now())
		}
		if released {
			f.core.recallReleased(t, r.Row, r.alive, f.now())
		}
	}
	f.core.disown(t, h.Strangers)
	if alone {
		f.core.beginAlone(t)
	} else {
		f.core.watchRecalled(t)
	}
	return t, nil
}

// standsAlone reports whether the first read for a tree would find nothing: its root is
// fresh, and no other process can be linked to it. The root is watched then, since before
// that was found out: all that it makes is announced.
func (f *Follower) standsAlone(root process.Identity, h trees.History) bool {
	f.answer() // an earlier ask to stop watching this PID must not come after
	if err := f.drain(0); err != nil || !f.mayStandAlone(root, h) {
		return false
	}
	p, err := f.watch(root)
	if err != nil {
		return false
	}
	if p.Identity == root && p.Group != 0 && p.State != process.Zombie && f.Kernel.Alone(p) {
		return true
	}
	f.Kernel.Remove(root.PID)
	return false
}

func (f *Follower) mayStandAlone(root process.Identity, h trees.History) (may bool) {
	named := len(h.Members) == 1 && h.Members[0] == root
	if !h.Fresh || !named || len(h.Strangers) > 0 {
		return false
	}
	f.Do(func(c *Core) { may = c.mayStandAlone(root) })
	return may
}
