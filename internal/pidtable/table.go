// Package pidtable has a table that is indexed by PID and read without a lock.
package pidtable

import (
	"sync"
	"sync/atomic"
)

// A table has three levels, so that a few processes take a few KiB wherever their PIDs
// are. Linux has no PID above 2^22 (PID_MAX_LIMIT), macOS none above 99,999.
const (
	bits   = 7
	width  = 1 << bits
	top    = 1 << 8
	capped = top * width * width
)

// A Table maps PIDs to pointers. The zero Table is empty and ready for use. Load waits for
// nothing, and may be called while others change the table. What a pointer leads to is not
// changed by those who share it.
type Table[T any] struct {
	mu    sync.Mutex // of those who change the table
	held  int        // entries
	parts [top]atomic.Pointer[part[T]]
}

type part[T any] struct {
	used  int // how many pages
	pages [width]atomic.Pointer[page[T]]
}

type page[T any] struct {
	used  int // how many entries
	cells [width]atomic.Pointer[T]
}

// Load returns the entry of a PID, or nil.
func (t *Table[T]) Load(pid int) *T {
	if uint(pid) >= capped {
		return nil
	}
	p := t.parts[pid>>(2*bits)].Load()
	if p == nil {
		return nil
	}
	g := p.pages[pid>>bits%width].Load()
	if g == nil {
		return nil
	}
	return g.cells[pid%width].Load()
}

// Store sets the entry of a PID. Nil removes it. A PID that no system has is ignored.
func (t *Table[T]) Store(pid int, entry *T) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.store(pid, entry)
}

// Len returns how many PIDs have an entry.
func (t *Table[T]) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.held
}

// store is called with the lock held. A page without an entry, and a part without a page,
// are left to the garbage collector. One who reads them meanwhile finds nothing there.
func (t *Table[T]) store(pid int, entry *T) {
	if uint(pid) >= capped || t.Load(pid) == entry {
		return
	}
	p := makeIn(&t.parts[pid>>(2*bits)])
	g, isNew := p.pages[pid>>bits%width].Load(), false
	if g == nil {
		g, isNew = &page[T]{}, true
	}
	cell := &g.cells[pid%width]
	switch had := cell.Load(); {
	case had == nil:
		g.used++
		t.held++
	case entry == nil:
		g.used--
		t.held--
	}
	cell.Store(entry)
	switch {
	case isNew:
		p.used++
		p.pages[pid>>bits%width].Store(g)
	case g.used == 0:
		p.used--
		p.pages[pid>>bits%width].Store(nil)
	}
	if p.used == 0 {
		t.parts[pid>>(2*bits)].Store(nil)
	}
}

// makeIn returns the part at a place, which it makes if there is none.
func makeIn[T any](place *atomic.Pointer[part[T]]) *part[T] {
	p := place.Load()
	if p == nil {
		p = &part[T]{}
		place.Store(p)
	}
	return p
}
