package tracker

import (
	"maps"
	"slices"
	"time"
)

// clone copies a run between two steps of the tracker.
func (r *simRun) clone() *simRun {
	n := &simRun{simCase: r.simCase, choices: slices.Clone(r.choices)}
	n.kernel = r.kernel.clone()
	n.kernel.schedule, n.kernel.fail, n.kernel.belongs = n.schedule, n.fault, n.shown
	core, trees := r.follower.core.clone()
	n.follower = &follower{kernel: n.kernel, now: func() time.Time { return n.kernel.now }, core: core}
	n.tree = trees[r.tree]
	return n
}

func (k *simKernel) clone() *simKernel {
	n := *k
	people := make(map[*simProc]*simProc, len(k.everybody))
	for _, p := range k.everybody {
		q := *p
		q.kernel, q.ids = &n, slices.Clone(p.ids)
		people[p] = &q
	}
	for _, q := range people {
		q.parent, q.mother, q.child = people[q.parent], people[q.mother], people[q.child]
	}
	each := func(old []*simProc) []*simProc {
		copied := make([]*simProc, len(old))
		for i, p := range old {
			copied[i] = people[p]
		}
		return copied
	}
	n.procs, n.everybody = each(k.procs), each(k.everybody)
	n.rows, n.todo = nil, nil
	n.events = slices.Clone(k.events)
	n.knotes = make([]*simKnote, len(k.knotes))
	for i, kn := range k.knotes {
		n.knotes[i] = &simKnote{people[kn.proc], kn.pid, kn.start, kn.pending, kn.gone}
	}
	return &n
}

func (c *core) clone() (*core, map[*tree]*tree) {
	n := *c
	trees := make(map[*tree]*tree, len(c.trees))
	n.trees = make([]*tree, len(c.trees))
	for i, t := range c.trees {
		copied := *t
		n.trees[i] = &copied
		trees[t] = &copied
	}
	members := make(map[*member]*member, len(c.known))
	var copyOf func(m *member) *member
	copyOf = func(m *member) *member {
		if m == nil || members[m] != nil {
			return members[m]
		}
		copied := *m
		members[m] = &copied
		copied.tree, copied.via = trees[m.tree], nil
		members[m].tree = trees[m.tree]
		members[m].via = copyOf(m.via)
		return members[m]
	}
	for _, t := range n.trees {
		t.outer, t.anchor = trees[t.outer], copyOf(t.anchor)
	}
	n.known = make(map[int]*member, len(c.known))
	for pid, m := range c.known {
		n.known[pid] = copyOf(m)
	}
	n.rows = maps.Clone(c.rows)
	n.asks = slices.Clone(c.asks)
	return &n, trees
}
