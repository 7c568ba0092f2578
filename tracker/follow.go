package tracker

import (
	"errors"
	"sync"
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// A kernel is what following trees needs of an operating system: a source of
// notices and the process table.
type kernel interface {
	source
	// read appends one row for each process.
	read(rows []process.Row) ([]process.Row, error)
	lookup(pid int) (process.Row, error)
	capabilities() Capabilities
}

// A follower puts a core and a kernel together: it takes one step after the
// other and decides nothing. Its lock guards the core, never a system call.
type follower struct {
	kernel kernel
	now    func() time.Time
	// spent is the processor time used so far. Where it is nil, reads are
	// charged with the time they took.
	spent func() time.Duration

	mu      sync.Mutex
	core    *core
	notices []Notice
	rows    []process.Row
}

// step waits for news or the time of the next read, whichever is first, and
// does what follows from it.
func (f *follower) step() error {
	if err := f.drain(f.patience()); err != nil {
		return err
	}
	f.answer()
	if f.patience() == 0 {
		return f.look()
	}
	return nil
}

// patience returns how long there is nothing to do unless news come.
func (f *follower) patience() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.core.asks) > 0 {
		return 0
	}
	at, ok := f.core.due()
	if !ok {
		return forever
	}
	return max(0, at.Sub(f.now()))
}

// drain takes all notices there are, waiting for the first as long as the
// timeout says.
func (f *follower) drain(timeout time.Duration) (err error) {
	for {
		if f.notices, err = f.kernel.next(f.notices[:0], timeout); err != nil {
			return err
		}
		if len(f.notices) == 0 {
			return nil
		}
		f.tell(func(c *core) {
			for _, n := range f.notices {
				c.notice(n, f.now())
			}
			c.conclude(f.now())
		})
		timeout = 0
	}
}

// look reads the table once. Every notice is taken first, so that the read is
// known to have begun after it.
func (f *follower) look() error {
	if err := f.drain(0); err != nil {
		return err
	}
	f.mu.Lock()
	f.core.reading()
	f.mu.Unlock()
	rows, took, err := f.read()
	f.mu.Lock()
	if err != nil {
		f.core.fail(err, f.now())
		f.mu.Unlock()
		return nil
	}
	f.core.read(rows, f.now())
	f.mu.Unlock()
	f.answer()
	f.mu.Lock()
	f.core.finish(f.now(), took)
	f.mu.Unlock()
	return nil
}

// read reads the table and says what that cost: processor time, because on a
// busy machine a read that waited for its turn has cost nobody anything.
func (f *follower) read() (rows []process.Row, cost time.Duration, err error) {
	clock := f.spent
	if clock == nil {
		began := f.now()
		clock = func() time.Duration { return f.now().Sub(began) }
	}
	before := clock()
	f.rows, err = f.kernel.read(f.rows[:0])
	return f.rows, clock() - before, err
}

// answer does what the core asked for and tells it the outcome.
func (f *follower) answer() {
	for {
		a, ok := f.nextAsk()
		if !ok {
			return
		}
		f.answerOne(a)
	}
}

func (f *follower) nextAsk() (a ask, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.core.asks) == 0 {
		return ask{}, false
	}
	a, f.core.asks = f.core.asks[0], f.core.asks[1:]
	return a, true
}

func (f *follower) answerOne(a ask) {
	switch a.verb {
	case askWatch:
		p, err := f.watch(a.id)
		f.tell(func(c *core) { c.watched(a.id, p, err, f.now()) })
	case askProbe:
		p, err := f.kernel.lookup(a.id.PID)
		f.tell(func(c *core) { c.probed(a.id, p, err, f.now()) })
	case askUnwatch:
		f.kernel.remove(a.id.PID)
	}
}

// watch begins to watch a process and looks whose PID that is afterwards. The
// PID may have gone to another process before (xnu-facts R9), but not after,
// without a notice.
func (f *follower) watch(id process.Identity) (process.Row, error) {
	if err := f.kernel.add(id.PID); err != nil {
		return process.Row{}, err
	}
	p, err := f.kernel.lookup(id.PID)
	if errors.Is(err, process.ErrGone) {
		// It died just now, watched: the notice will say so.
		return process.Row{Process: process.Process{Identity: id}}, nil
	}
	return p, err
}

func (f *follower) tell(what func(*core)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	what(f.core)
}
