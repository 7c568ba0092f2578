package router

import (
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// A guard shows that a process is still the one for which it was opened. It is a knote: the
// kernel posts the end of the process before the PID is free (docs/xnu.md, G6).
type guard struct{ of *subject }

// A subject is a process with a knote.
type subject struct {
	pid  int
	dead atomic.Bool
	uses int // guarded by the lock
}

// guards is a kqueue with one knote for each process, which any number of guards share.
type guards struct {
	mu       sync.Mutex
	kq       int
	subjects map[int]*subject
	events   [64]unix.Kevent_t
}

func newGuards() (*guards, error) {
	kq, err := unix.Kqueue()
	if err != nil {
		return nil, err
	}
	unix.CloseOnExec(kq)
	return &guards{kq: kq, subjects: make(map[int]*subject)}, nil
}

func (g *guards) end() error { return unix.Close(g.kq) }

// mostGuards is how many processes have knotes.
func mostGuards() int { return 1 << 14 }

// open attaches a knote, or shares the one of the process that has the PID.
func (g *guards) open(x *guard, s *seat) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.collect()
	found := g.subjects[s.pid]
	if found == nil {
		err := g.change(s.pid, unix.EV_ADD)
		if err == unix.ESRCH {
			return process.ErrGone
		}
		if err != nil {
			return err
		}
		found = &subject{pid: s.pid}
		g.subjects[s.pid] = found
	}
	found.uses++
	x.of = found
	return nil
}

// change makes one change and returns its own error.
func (g *guards) change(pid int, flags uint16) error {
	change := [1]unix.Kevent_t{{Ident: uint64(pid), Filter: unix.EVFILT_PROC, Flags: flags | unix.EV_RECEIPT, Fflags: unix.NOTE_EXIT | unix.NOTE_REAP}}
	var receipt [1]unix.Kevent_t
	for {
		n, err := unix.Kevent(g.kq, change[:], receipt[:], nil)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return err
		case n == 1 && receipt[0].Data != 0:
			return unix.Errno(receipt[0].Data)
		}
		return nil
	}
}

// collect takes the ends that the kernel has posted. It is called with the lock held.
func (g *guards) collect() {
	for {
		n, err := unix.Kevent(g.kq, nil, g.events[:], &unix.Timespec{})
		if err == unix.EINTR {
			continue
		}
		for _, event := range g.events[:max(n, 0)] {
			pid := int(event.Ident)
			if found := g.subjects[pid]; found != nil {
				found.dead.Store(true)
				delete(g.subjects, pid)
				// A later process with the PID gets a knote of its own.
				_ = g.change(pid, unix.EV_DELETE)
			}
		}
		if n < len(g.events) {
			return
		}
	}
}

// alive reports whether the process of a guard has its PID still.
func (g *guards) alive(x *guard) bool {
	if x.of.dead.Load() {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.collect()
	return !x.of.dead.Load()
}

// close ends a guard, once.
func (g *guards) close(x *guard) {
	if x.of == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if x.of.uses--; x.of.uses == 0 && g.subjects[x.of.pid] == x.of {
		delete(g.subjects, x.of.pid)
		_ = g.change(x.of.pid, unix.EV_DELETE)
	}
}
