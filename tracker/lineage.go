package tracker

// A lineage says by numbers that are never used again who made a process. Both
// are zero where the kernel does not say.
type lineage struct {
	self   uint64 // later processes have higher ones
	parent uint64 // of whoever made it; see kinship
}

// A kinship adds their lineage to rows. XNU keeps naming the parent that made a
// process when that one has died, but an exec has it name the parent of that
// moment, which may be init by then (xnu-facts 6.2). So each process is asked
// for once, as early as it is seen.
type kinship struct {
	ask         func(pid int) (lineage, bool)
	lookup      func(pid int) (Process, error)
	known, next map[kin]lineage
}

// A kin is an identity without the boot, which is always this one.
type kin struct {
	pid   int
	start StartTime
}

func newKinship(ask func(pid int) (lineage, bool), lookup func(pid int) (Process, error)) *kinship {
	return &kinship{ask, lookup, make(map[kin]lineage), make(map[kin]lineage)}
}

// completeAll adds the lineages of a whole table, and forgets those that are
// not in it any more.
func (k *kinship) completeAll(rows []Process) {
	for i := range rows {
		p := &rows[i]
		if k.complete(p); p.lineage != (lineage{}) {
			k.next[kin{p.PID, p.Start}] = p.lineage
		}
	}
	k.known, k.next = k.next, k.known
	clear(k.next)
}

func (k *kinship) complete(p *Process) {
	key := kin{p.PID, p.Start}
	l, ok := k.known[key]
	if !ok {
		if p.Tracer != 0 {
			return // an exec meanwhile would name the debugger
		}
		if l, ok = k.learn(p.Identity); !ok {
			return
		}
		k.known[key] = l
	}
	p.lineage = l
}

// learn asks for a lineage by PID, and looks afterwards whose PID that is.
func (k *kinship) learn(id Identity) (lineage, bool) {
	l, ok := k.ask(id.PID)
	if !ok {
		return lineage{}, false
	}
	p, err := k.lookup(id.PID)
	return l, err == nil && p.Identity == id
}
