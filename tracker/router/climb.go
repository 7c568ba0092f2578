package router

import (
	"errors"
	"io/fs"

	"github.com/gemini-monitor/gemini/tracker"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// highest is how many ancestors a process is asked for. It ends a climb that processes with
// changing parents would keep going.
const highest = 1 << 16

// climb goes from a process to its parent and on, up to one that the tracker knows. The
// process belongs where that one does: those between are its descendants, which the tracker
// has not been told of yet. It is not decided where the tracker knows none of them.
//
// A parent is what the row of its child names at two moments, and its own row is read between
// these. So it was the parent then, and no other process had its PID.
func (r *Router[V]) climb(reader *process.Reader, from process.Row, hidden bool) (tree *tracker.Tree, decided bool) {
	if hidden {
		return nil, false
	}
	for range tries {
		tree, chain, decided := r.climbOnce(reader, from)
		if !decided || confirmed(reader, chain) {
			return tree, decided
		}
		again, err := reader.Lookup(from.PID)
		if err != nil || again.Identity != from.Identity {
			return nil, false
		}
		from = again
	}
	return nil, false
}

// climbOnce returns the tree that the nearest known ancestor belongs to, and the rows of
// those below that one.
func (r *Router[V]) climbOnce(reader *process.Reader, from process.Row) (tree *tracker.Tree, chain []process.Row, decided bool) {
	for row := from; len(chain) < highest; {
		if row.PID == r.self || row.Parent == r.self {
			return nil, nil, true // what this process makes counts for no tree
		}
		chain = append(chain, row)
		if row.Parent <= 0 {
			break
		}
		parent, err := reader.Lookup(row.Parent)
		if errors.Is(err, fs.ErrPermission) {
			parent, err = process.Row{Process: process.Process{Identity: process.Identity{PID: row.Parent}}}, nil
		}
		if err != nil {
			break
		}
		place := r.tracker.PlaceOf(parent.PID)
		if id := place.Identity(); place.Known() && (id.Start == 0 || parent.Start == 0 || id == parent.Identity) {
			tree, _ = place.Tree()
			return tree, chain, true
		}
		row = parent
	}
	return nil, nil, false
}

// confirmed reports whether each row still names the same process and parent.
func confirmed(reader *process.Reader, chain []process.Row) bool {
	for _, row := range chain {
		now, err := reader.Lookup(row.PID)
		if err != nil || now.Identity != row.Identity || now.Parent != row.Parent {
			return false
		}
	}
	return true
}
