package monitor

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// A released process keeps the descriptor of the lease, and so does what it makes. Where the
// lease is held and processes are released, the question is another one: does a process hold it
// that may descend from the owner and is not released? A discount decides that in rounds. It is
// plain data and makes no system call.
//
// In a round the process table is read, the files of each process are looked at that was not
// looked at before, and the table is read again. A process that ends before it is looked at may
// have made another that holds the lease. So a round counts only where all that were to be looked
// at were seen or live after it, but for those whose line of parents shows that they do not descend from the
// owner. A list of PIDs is no snapshot, so it takes two such rounds in a row.
//
// A process that was made before the owner does not descend from it, whatever it holds.
type discount struct {
	self   int // the PID of this process, which starts others for itself
	looked map[process.Identity]bool
	clean  int // rounds in a row that count
}

// cleanRounds is how many of them in a row settle the answer.
const cleanRounds = 2

// A headcount is one read of the table: what lives, by PID, with what is known of it.
type headcount struct {
	rows    map[int]process.Process
	outside map[process.Identity]bool // released, or made before the owner
}

// has reports whether a process lives.
func (h headcount) has(p process.Process) bool { return h.rows[p.PID].Identity == p.Identity }

// suspects returns the processes that are to be looked at, the youngest first: these end
// soonest.
func (d *discount) suspects(h headcount) (suspects []process.Process) {
	for _, p := range h.rows {
		if p.PID != 1 && p.PID != d.self && !d.looked[p.Identity] && !h.outside[p.Identity] {
			suspects = append(suspects, p)
		}
	}
	slices.SortFunc(suspects, func(a, b process.Process) int {
		return cmp.Or(cmp.Compare(b.Start, a.Start), cmp.Compare(b.PID, a.PID))
	})
	return suspects
}

// take takes what a round has found: of the suspects by the read before, and the read after it.
// It reports whether no process but released ones is left that may hold the lease. The reason is
// why that is not so, or cannot be known; it is empty where another round is to follow.
func (d *discount) take(before headcount, suspects []process.Process, seen sighting, after headcount) (only bool, reason string) {
	d.clean++
	unseen := 0
	for _, p := range suspects {
		holds := slices.Contains(seen.locked, p.PID) || slices.Contains(seen.opened, p.PID)
		switch {
		case after.outside[p.Identity]:
		case !after.has(p):
			if holds || !slices.Contains(seen.others, p.PID) && before.mayDescend(p, d.self) {
				d.clean = 0
			}
		case holds:
			return false, fmt.Sprintf("process %d (%s), which is neither a member nor released, holds the lease", p.PID, p.Command)
		case slices.Contains(seen.unseen, p.PID):
			unseen++
		default:
			d.looked[p.Identity] = true
		}
	}
	if unseen > 0 {
		return false, fmt.Sprintf("released processes hold the lease, and so may %d processes whose files cannot be seen", unseen)
	}
	return d.clean >= cleanRounds, ""
}

// mayDescend reports whether a process may descend from the owner and not from a released
// process, as the table shows it: its line of parents leads to an orphan that was made later
// than the owner.
func (h headcount) mayDescend(p process.Process, self int) bool {
	for range h.rows {
		if h.outside[p.Identity] || p.PID == 1 || p.PID == self || p.Parent == self {
			return false
		}
		parent, listed := h.rows[p.Parent]
		// A process in its parent's session is taken for its child. One in another session may have
		// been adopted, by a subreaper from which the owner descends too.
		adopted := listed && p.Session != 0 && parent.Session != 0 && p.Session != parent.Session
		if !listed || p.Parent == 1 || adopted {
			return true
		}
		p = parent
	}
	return true
}
