package router

import (
	"sync"

	"github.com/gemini-monitor/gemini/internal/pidtable"
)

// A shelf has the seats that are remembered, up to a number. Where one more is to be, one
// goes that was not in use for a while. The seats are read without its lock, which is held
// for a few instructions and one system call at most.
type shelf struct {
	seats  pidtable.Table[seat]
	guards *guards
	most   int

	mu     sync.Mutex
	slots  []*seat
	free   []int
	hand   int
	closed bool
}

// put has a seat take the place of another one, or of none. It is not remembered where
// another was quicker, or the shelf is shut. Then its guard has ended.
func (f *shelf) put(s, old *seat) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed || f.seats.Load(s.pid) != old {
		f.guards.close(&s.guard)
		return
	}
	if old != nil {
		f.clear(old)
	}
	s.slot = f.slot()
	f.slots[s.slot] = s
	f.seats.Store(s.pid, s)
}

// slot returns a free slot. It is called with the lock held.
func (f *shelf) slot() int {
	if last := len(f.free) - 1; last >= 0 {
		found := f.free[last]
		f.free = f.free[:last]
		return found
	}
	if len(f.slots) < f.most {
		f.slots = append(f.slots, nil)
		return len(f.slots) - 1
	}
	for f.slots[f.hand].used.Swap(false) {
		f.hand = (f.hand + 1) % len(f.slots)
	}
	f.clear(f.slots[f.hand])
	return f.slot()
}

// clear takes a seat out of the table, and then ends its guard: in the other order a reader
// could take the descriptor of a later guard for it. It is called with the lock held.
func (f *shelf) clear(s *seat) {
	f.seats.Store(s.pid, nil)
	f.slots[s.slot] = nil
	f.free = append(f.free, s.slot)
	f.guards.close(&s.guard)
}

// shut forgets all seats, and remembers none from now on.
func (f *shelf) shut() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	for _, s := range f.slots {
		if s != nil {
			f.clear(s)
		}
	}
}

// count returns how many seats are remembered.
func (f *shelf) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.slots) - len(f.free)
}
