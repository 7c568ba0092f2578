package core

import (
	"maps"
	"slices"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// A stranger is a process that is known not to belong to a tree, although a link would
// lead to it: it was there before the tree began, as a child of the root or in a group or
// session that the root had created by then, or it descends from such a process.
type stranger struct {
	process.Identity
	tree     *Tree
	watched  bool
	ancestor bool // of the root
}

// disown makes strangers of processes that were established to be some earlier.
func (c *Core) disown(t *Tree, ids []process.Identity) {
	for _, id := range ids {
		if id.PID != c.self && c.known[id.PID] == nil {
			c.setStranger(&stranger{Identity: id, tree: t})
		}
	}
}

// beginAllFresh makes strangers of those who are there when trees begin whose roots have
// made no member yet. It is called with their first read. The table is gone through once
// for all of them.
func (c *Core) beginAllFresh(rows []process.Row) {
	var kin *kinship
	for _, t := range c.trees {
		if !t.fresh {
			continue
		}
		if kin == nil {
			kin = kinshipOf(rows)
		}
		t.fresh = false
		c.beginFresh(t, rows, kin)
	}
}

func (c *Core) beginFresh(t *Tree, rows []process.Row, kin *kinship) {
	root := t.root.PID
	c.disown(t, append(kin.around(root, rows), c.jobShell(t, rows)...))
	for _, p := range c.ancestors(root, rows) {
		if s := c.strangers[p]; s != nil {
			s.ancestor = true
		}
	}
}

// A kinship has the indexes of rows by what they name: parent, group and session.
type kinship struct{ children, groups, sessions map[int][]int }

func kinshipOf(rows []process.Row) *kinship {
	k := &kinship{make(map[int][]int), make(map[int][]int), make(map[int][]int)}
	for i := range rows {
		p := &rows[i]
		k.children[p.Parent] = append(k.children[p.Parent], i)
		k.groups[p.Group] = append(k.groups[p.Group], i)
		k.sessions[p.Session] = append(k.sessions[p.Session], i)
	}
	return k
}

// around returns the processes below a root and those in a group or session of its
// making, without the root.
func (k *kinship) around(root int, rows []process.Row) (ids []process.Identity) {
	seen := map[int]bool{root: true}
	add := func(i int) (isNew bool) {
		if isNew = !seen[rows[i].PID]; isNew {
			seen[rows[i].PID] = true
			ids = append(ids, rows[i].Identity)
		}
		return isNew
	}
	for below := []int{root}; len(below) > 0; below = below[1:] {
		for _, i := range k.children[below[0]] {
			if add(i) {
				below = append(below, rows[i].PID)
			}
		}
	}
	for _, i := range slices.Concat(k.groups[root], k.sessions[root]) {
		add(i)
	}
	return ids
}

// jobShell returns the parent of a root that leads a group. It may put later processes
// into that group. Where orphans go to init only, those are recognised by their parent.
func (c *Core) jobShell(t *Tree, rows []process.Row) (ids []process.Identity) {
	i, listed := c.rows[t.root.PID]
	if c.forks != process.ForksAnnounced || !listed || rows[i].Group != t.root.PID || rows[i].Parent <= 1 {
		return nil
	}
	if parent, listed := c.rows[rows[i].Parent]; listed {
		ids = append(ids, rows[parent].Identity)
	}
	return ids
}

// ancestors returns the PIDs of the parent of a process, of its parent, and so on.
func (c *Core) ancestors(pid int, rows []process.Row) (pids []int) {
	for {
		i, listed := c.rows[pid]
		if !listed || slices.Contains(pids, rows[i].Parent) {
			return pids
		}
		pid = rows[i].Parent
		pids = append(pids, pid)
	}
}

// keepStrangers drops the strangers that a read does not show any more. Where forks are
// named, it has the others watched, so that their children are known from birth.
func (c *Core) keepStrangers(rows []process.Row) {
	for _, pid := range slices.Sorted(maps.Keys(c.strangers)) {
		s := c.strangers[pid]
		i, listed := c.rows[pid]
		switch {
		case !listed || rows[i].Identity != s.Identity:
			c.forgetStranger(pid)
		case c.forks == process.ForksNamed && !s.watched:
			s.watched = true
			c.asks = append(c.asks, ask{verb: askWatch, id: s.Identity})
		}
	}
}

// spread makes strangers of the children of strangers.
func (c *Core) spread(rows []process.Row) {
	for again := len(c.strangers) > 0; again; {
		again = false
		for i := range rows {
			p := &rows[i]
			if s := c.strangers[p.Parent]; s != nil && c.bore(s, p) && c.addStranger(p.Identity, s.tree, false) {
				again = true
			}
		}
	}
}

// bore reports whether a stranger that a row names as the parent made that process, or
// adopted one that a stranger had made. On Linux an ancestor of the root can adopt the
// orphans of its tree (PR_SET_CHILD_SUBREAPER), and the root can make a child of its own
// parent (CLONE_PARENT).
func (c *Core) bore(s *stranger, p *process.Row) bool {
	return p.Tracer == 0 && (c.forks == process.ForksAnnounced || !s.ancestor)
}

func (c *Core) addStranger(id process.Identity, t *Tree, watched bool) bool {
	if m := c.known[id.PID]; m != nil && m.alive() || c.strangers[id.PID] != nil || id.PID == c.self {
		return false
	}
	c.setStranger(&stranger{Identity: id, tree: t, watched: watched})
	return true
}

// hear takes a notice about a stranger, which comes only where forks are named.
func (c *Core) hear(s *stranger, n Notice) {
	switch {
	case n.Events.Has(process.Exited):
		c.forgetStranger(s.PID)
	case n.Events.Has(process.Forked) && n.Found.Start != 0 && !s.ancestor:
		c.addStranger(n.Found.Identity, s.tree, true)
	}
}

// strangerWatched takes the outcome of askWatch for a stranger.
func (c *Core) strangerWatched(id process.Identity, now process.Row, err error) {
	s := c.strangers[id.PID]
	switch {
	case s == nil || s.Identity != id:
	case err != nil:
		s.watched = false // the next read tries again
	case now.Identity != id:
		c.forgetStranger(id.PID)
		c.asks = append(c.asks, ask{verb: askUnwatch, id: id})
	}
}

// treeFor returns the tree that a process joins through a member of a tree: the nearest one
// that the process is no stranger to, or nil.
func (c *Core) treeFor(p *process.Row, t *Tree) *Tree {
	s := c.strangers[p.PID]
	if s == nil || s.Identity != p.Identity || !t.within(s.tree) {
		return t
	}
	return s.tree.outer
}

// Strangers returns the identities of the strangers to a tree, by PID.
func (c *Core) Strangers(t *Tree) (ids []process.Identity) {
	for _, s := range c.strangers {
		if s.tree == t {
			ids = append(ids, s.Identity)
		}
	}
	slices.SortFunc(ids, func(a, b process.Identity) int { return a.PID - b.PID })
	return ids
}

// forgetStrangers drops the strangers to a tree that is not followed any more.
func (c *Core) forgetStrangers(t *Tree) {
	for _, id := range c.Strangers(t) {
		if c.strangers[id.PID].watched {
			c.asks = append(c.asks, ask{verb: askUnwatch, id: id})
		}
		c.forgetStranger(id.PID)
	}
}
