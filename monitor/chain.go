package monitor

import (
	"cmp"
	"errors"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// Links are the links of a runtime by its journal: those of its members, and of former ones.
type Links struct{ cast cast }

// Links reads the journal of the runtime. The error is [ErrNotExist], or [ErrBroken] where
// a line is no entry.
func (r *Runtime) Links() (Links, error) {
	known, err := r.readCast()
	switch {
	case errors.Is(err, ErrNotExist):
		return Links{}, err
	case err != nil:
		return Links{}, r.wrap(err)
	}
	return Links{known}, nil
}

// Chain returns the members, and the former ones, through which a process joined: the one
// that its own link leads to, then the one that the link of that leads to, and so on. They
// are as they were when they joined or left.
//
// The last one is the owner, or has a link that leads to no process, or to one that is not
// in the journal any more, because that was shortened. The chain of a process that is not in
// the journal is empty, and so is that of the owner.
func (l Links) Chain(id process.Identity) (chain []trees.Member) {
	seen := map[process.Identity]bool{id: true}
	for m := l.cast.find(id); m != nil; {
		next := through(m)
		if m = l.cast.find(next); m == nil || seen[next] {
			break
		}
		seen[next] = true
		chain = append(chain, *m)
	}
	return chain
}

// through returns the process that the link of a member leads to, if any. The evidence of a
// mark is not about another process.
func through(m *trees.Member) process.Identity {
	if m.Link.Kind == trees.LinkMark {
		return process.Identity{}
	}
	return m.Link.Through
}

// find returns a member or a former one, or nil.
func (c *cast) find(id process.Identity) *trees.Member {
	return cmp.Or(c.members[id], c.released[id], c.former[id], c.formerReleased[id])
}
