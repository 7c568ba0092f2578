package kernel

import "github.com/gemini-monitor/gemini/tracker/process"

// A lineageBook adds to rows the lineages that it knows. XNU names the parent that made
// a process even when that parent has died. But an exec of the process replaces that
// name by the parent at that moment, which may be init (docs/xnu.md X28). So the book
// asks for each process once, when it first sees it.
type lineageBook struct {
	ask         func(pid int) (process.Lineage, bool)
	lookup      func(pid int) (process.Row, error)
	known, next map[lineageKey]process.Lineage
}

// A lineageKey is an identity without the boot, which is always this one.
type lineageKey struct {
	pid   int
	start process.StartTime
}

func newLineageBook(ask func(pid int) (process.Lineage, bool), lookup func(pid int) (process.Row, error)) *lineageBook {
	return &lineageBook{ask, lookup, make(map[lineageKey]process.Lineage), make(map[lineageKey]process.Lineage)}
}

// completeAll adds the lineages of a whole table, and forgets those that are
// not in it any more.
func (l *lineageBook) completeAll(rows []process.Row) {
	for i := range rows {
		p := &rows[i]
		if l.complete(p); p.Lineage != (process.Lineage{}) {
			l.next[lineageKey{p.PID, p.Start}] = p.Lineage
		}
	}
	l.known, l.next = l.next, l.known
	clear(l.next)
}

func (l *lineageBook) complete(p *process.Row) {
	key := lineageKey{p.PID, p.Start}
	found, ok := l.known[key]
	if !ok {
		if p.Tracer != 0 {
			return // an exec meanwhile would name the debugger
		}
		if found, ok = l.learn(p.Identity); !ok {
			return
		}
		l.known[key] = found
	}
	p.Lineage = found
}

// learn asks for a lineage by PID, and looks afterwards whose PID that is.
func (l *lineageBook) learn(id process.Identity) (process.Lineage, bool) {
	found, ok := l.ask(id.PID)
	if !ok {
		return process.Lineage{}, false
	}
	p, err := l.lookup(id.PID)
	return found, err == nil && p.Identity == id
}
