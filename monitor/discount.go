package monitor

import (
	"fmt"
	"slices"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// A released process keeps the descriptor of the lease, and so does what it makes. So where
// the lease is held, it is free of others if all that hold it are released ones. A discount
// decides that from looks at the files of all processes. It is plain data and makes no system
// call.
//
// A look is no snapshot: a process can fork and die before it is looked at, and its child may
// have begun after the PIDs were listed. So the process table is read before and after each
// look, and two looks in a row have to find that no process that may descend from the owner has
// begun meanwhile. Whatever cannot be looked at and may descend from the owner is a reason
// against it.
type discount struct {
	self  int // the PID of this process, which starts others for itself
	quiet int // looks in a row after which no process was there that was not before
}

// quietLooks is how many of them in a row settle the answer.
const quietLooks = 2

// A glimpse is one look, with the tables before and after.
type glimpse struct {
	before, after map[int]process.Process // that live, by PID
	sighting
	released map[process.Identity]bool // as the tracker knew them after the look
	elder    map[process.Identity]bool // made before the owner, so they do not descend from it
}

// take takes a look. It reports whether released processes alone hold the lease. The reason is
// why that is not so, or is not known; it is empty where another look is to follow.
func (d *discount) take(g glimpse) (only bool, reason string) {
	for _, pid := range slices.Concat(g.locked, g.opened) {
		p, lives := g.after[pid]
		if lives && !g.released[p.Identity] {
			return false, fmt.Sprintf("process %d (%s), which is neither a member nor released, holds the lease", pid, p.Command)
		}
	}
	if len(g.locked) == 0 && len(g.opened) == 0 {
		d.quiet = 0
		return false, ""
	}
	unseen := 0
	for _, pid := range g.unseen {
		if p, lives := g.after[pid]; lives && pid != 1 && !g.elder[p.Identity] && !g.released[p.Identity] {
			unseen++
		}
	}
	if unseen > 0 {
		return false, fmt.Sprintf("released processes hold the lease, and so may %d others, whose files cannot be seen", unseen)
	}
	for pid, p := range g.after {
		if before, known := g.before[pid]; (!known || before.Identity != p.Identity) && d.mayDescend(p, g) {
			d.quiet = 0
			return false, ""
		}
	}
	d.quiet++
	return d.quiet >= quietLooks, ""
}

// mayDescend reports whether a process may descend from the owner and not from a released
// process, as the table shows it: its line of parents leads to an orphan that was made later
// than the owner.
func (d *discount) mayDescend(p process.Process, g glimpse) bool {
	for range len(g.after) {
		if g.elder[p.Identity] || g.released[p.Identity] || p.PID == 1 || p.PID == d.self {
			return false
		}
		parent, listed := g.after[p.Parent]
		adopted := listed && p.Session != 0 && parent.Session != 0 && p.Session != parent.Session && p.Session != p.PID
		if !listed || p.Parent == 1 || adopted {
			return true
		}
		p = parent
	}
	return true
}
