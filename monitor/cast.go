package monitor

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// A cast is the processes of a runtime, by its journal.
type cast struct {
	members map[process.Identity]*trees.Member
	// former members have left. One that created a group or session that a member
	// is in can still link an orphan.
	former map[process.Identity]*trees.Member
	// released do not count any more, and formerReleased are those of them that have ended.
	released       map[process.Identity]*trees.Member
	formerReleased map[process.Identity]*trees.Member
}

func newCast() cast {
	return cast{
		members: make(map[process.Identity]*trees.Member), former: make(map[process.Identity]*trees.Member),
		released: make(map[process.Identity]*trees.Member), formerReleased: make(map[process.Identity]*trees.Member),
	}
}

// take changes the cast by an entry. It reports whether the entry is new: a member
// keeps its first link, which is stronger evidence than a later one.
func (c *cast) take(e JournalEntry) (isNew bool) {
	if e.Member == nil {
		return true
	}
	if e.Event == trees.Released || e.Event == trees.Ended {
		return c.takeReleased(e)
	}
	id := e.Member.Identity
	_, known := c.members[id]
	switch {
	case e.Event == trees.Joined && !known:
		c.members[id] = e.Member
		delete(c.former, id)
		delete(c.released, id)
	case e.Event == trees.Left:
		last := *e.Member
		if first := c.members[id]; first != nil { // a later monitor knows it from before
			last.Link, last.Joined = first.Link, first.Joined
		}
		delete(c.members, id)
		c.former[id] = &last
	default:
		return false
	}
	return true
}

// dismiss drops the former members that created no group or session of a member, by
// the rows of the time when the members joined. A group that a member entered later
// is not known here. Those through which members joined stay too, while there is room.
func (c *cast) dismiss() {
	named := make(map[int]bool)
	for _, m := range c.members {
		named[m.Group], named[m.Session] = true, true
	}
	chained := c.chained(maxLines/2 - len(c.members))
	maps.DeleteFunc(c.formerReleased, func(id process.Identity, _ *trees.Member) bool { return !c.namedByReleased(id.PID) })
	maps.DeleteFunc(c.former, func(id process.Identity, _ *trees.Member) bool { return !named[id.PID] && !chained[id] })
}

// chained returns the former members, at most so many, through which members joined: those
// that the links of members lead to, then those that the links of these lead to, and so on.
func (c *cast) chained(room int) map[process.Identity]bool {
	chained := make(map[process.Identity]bool)
	level := slices.Collect(maps.Values(c.members))
	for len(level) > 0 {
		var next []*trees.Member
		for _, m := range level {
			id := through(m)
			if found := c.former[id]; found != nil && !chained[id] && len(chained) < room {
				chained[id] = true
				next = append(next, found)
			}
		}
		level = next
	}
	return chained
}

// relatives returns all that are members or may link one.
func (c *cast) relatives() []process.Identity {
	return slices.AppendSeq(slices.Collect(maps.Keys(c.members)), maps.Keys(c.former))
}

// named returns an error if a member was recorded without its start time, because it was
// hidden (docs/linux.md L17), and its PID is in use in this boot: by that member or by
// another process.
func (c *cast) named(boot string, lookup func(pid int) (process.Process, error)) error {
	for id := range c.members {
		if id.Start != 0 || id.Boot != boot {
			continue
		}
		if _, err := lookup(id.PID); !errors.Is(err, process.ErrGone) {
			return fmt.Errorf("process %d was hidden when it was recorded: it may be alive", id.PID)
		}
	}
	return nil
}

// entries returns the shortest journal that has this cast.
func (c *cast) entries() (entries []JournalEntry) {
	for _, m := range c.members {
		entries = append(entries, JournalEntry{Time: m.Joined.UTC(), Event: trees.Joined, Member: m})
	}
	for _, m := range c.former {
		entries = append(entries, JournalEntry{Time: m.Joined.UTC(), Event: trees.Left, Member: m})
	}
	return append(entries, c.releasedEntries()...)
}
