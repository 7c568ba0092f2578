package tracker

// A lineage says by numbers that are never used again who made a process. Both
// are zero where the kernel does not say.
type lineage struct {
	self   uint64 // later processes have higher ones
	parent uint64 // of whoever made it; see lineageBook
}

// A lineageBook adds to rows the lineages that it knows. XNU keeps naming the
// parent that made a process when that one has died, but an exec has it name the
// parent of that moment, which may be init by then (xnu-facts 6.2). So each process
// is asked for once, as early as it is seen.
type lineageBook struct {
	ask         func(pid int) (lineage, bool)
	lookup      func(pid int) (Process, error)
	known, next map[lineageKey]lineage
}

// A lineageKey is an identity without the boot, which is always this one.
type lineageKey struct {
	pid   int
	start StartTime
}

func newLineageBook(ask func(pid int) (lineage, bool), lookup func(pid int) (Process, error)) *lineageBook {
	return &lineageBook{ask, lookup, make(map[lineageKey]lineage), make(map[lineageKey]lineage)}
}

// completeAll adds the lineages of a whole table, and forgets those that are
// not in it any more.
func (l *lineageBook) completeAll(rows []Process) {
	for i := range rows {
		p := &rows[i]
		if l.complete(p); p.lineage != (lineage{}) {
			l.next[lineageKey{p.PID, p.Start}] = p.lineage
		}
	}
	l.known, l.next = l.next, l.known
	clear(l.next)
}

func (l *lineageBook) complete(p *Process) {
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
	p.lineage = found
}

// learn asks for a lineage by PID, and looks afterwards whose PID that is.
func (l *lineageBook) learn(id Identity) (lineage, bool) {
	found, ok := l.ask(id.PID)
	if !ok {
		return lineage{}, false
	}
	p, err := l.lookup(id.PID)
	return found, err == nil && p.Identity == id
}
