package monitor

import (
	"maps"
	"slices"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// takeReleased changes the cast by an entry about a released process. It reports whether the
// entry is new.
func (c *cast) takeReleased(e JournalEntry) (isNew bool) {
	id := e.Member.Identity
	if e.Event == trees.Ended {
		if last := c.released[id]; last != nil {
			c.formerReleased[id] = last
			delete(c.released, id)
			return true
		}
		return false
	}
	if c.released[id] != nil {
		return false
	}
	one := e.Member
	if first := c.find(id); first != nil { // it keeps its first link
		one = first
	}
	delete(c.members, id)
	delete(c.former, id)
	delete(c.formerReleased, id)
	c.released[id] = one
	return true
}

// heirs returns the members, former ones too, that are known to descend from a process: by
// links that prove it, or as they were in its session. The journal has the dead between that a
// tracker that began later does not know.
func (c *cast) heirs(of process.Identity) (ids []process.Identity) {
	found := map[process.Identity]bool{of: true}
	all := slices.Concat(slices.Collect(maps.Values(c.members)), slices.Collect(maps.Values(c.former)))
	for again := true; again; {
		again = false
		for _, m := range all {
			if !found[m.Identity] && (m.Link.Kind.Proves() && found[m.Link.Through] || inSessionOf(m, of)) {
				found[m.Identity], again = true, true
				ids = append(ids, m.Identity)
			}
		}
	}
	return ids
}

// inSessionOf reports whether a process joined in a session that another has created. The id of
// a session in use is no later process's PID.
func inSessionOf(m *trees.Member, of process.Identity) bool {
	return m.Session == of.PID && m.PID != of.PID && m.Boot == of.Boot && m.Start >= of.Start
}

// allReleased returns the released processes, and those that may link one.
func (c *cast) allReleased() []process.Identity {
	return slices.AppendSeq(slices.Collect(maps.Keys(c.released)), maps.Keys(c.formerReleased))
}

// namedByReleased reports whether a released process was in a group or session with a PID.
func (c *cast) namedByReleased(pid int) bool {
	for _, m := range c.released {
		if m.Group == pid || m.Session == pid {
			return true
		}
	}
	return false
}

// releasedEntries returns the shortest journal that has the released processes of this cast.
func (c *cast) releasedEntries() (entries []JournalEntry) {
	entry := func(m *trees.Member, kind trees.ChangeKind) {
		entries = append(entries, JournalEntry{Time: m.Joined.UTC(), Event: kind, Member: m})
	}
	for _, m := range c.released {
		entry(m, trees.Released)
	}
	for _, m := range c.formerReleased {
		entry(m, trees.Released)
		entry(m, trees.Ended)
	}
	return entries
}
