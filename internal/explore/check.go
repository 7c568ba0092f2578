package explore

import (
	"slices"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/internal/simkernel"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// check checks the promise in the present state.
func (r *Run) check() {
	if r.Tree == nil || r.trusted {
		return
	}
	r.Follower.Do(func(c *core.Core) {
		r.checkTouched(c)
		r.checkMembers(c)
		r.checkPlaces(c, nil)
	})
	r.checkNeighbour()
	if lost := r.lost(); len(lost) > 0 {
		r.checkLinked(lost)
		for _, p := range lost {
			if r.Kernel.Shown(p) {
				r.fail("found empty while %s lives, and the tracker was shown that it belongs to the tree", p)
			}
		}
		if i := slices.IndexFunc(lost, r.Kernel.Carries); i >= 0 && !r.losesNotices() {
			r.fail("found empty while %s lives and carries the mark", lost[i])
		}
		if !r.holeOpens() {
			r.fail("found empty while %s lives", lost[0])
		}
	}
}

// checkPlaces fails the run if what the tracker publishes for look-ups by PID is not what it
// knows, or if it names a tree for the PID of a process that has ended and of which every
// notice was taken. Where forks are named, the kernel announces an exit when the PID is free
// already: who asks has to see for itself that the process lives, as the router does.
func (r *Run) checkPlaces(c *core.Core, living func(pid int) (process.Identity, bool)) {
	if r.Kernel.Pending() || r.losesNotices() || r.Kernel.Flavour != process.ForksAnnounced {
		living = nil
	}
	if err := c.CheckPlaces(living); err != nil {
		r.fail("places: %v", err)
	}
}

// holderOf returns the process that has a PID.
func (r *Run) holderOf(pid int) (process.Identity, bool) {
	for _, p := range r.Kernel.Listed {
		if p.PID == pid {
			return p.Identity(), true
		}
	}
	return process.Identity{}, false
}

// losesNotices reports whether forks are named and notices can be lost: then glances take
// the place of reads, and show no environment.
func (r *Run) losesNotices() bool {
	return r.Kernel.Flavour == process.ForksNamed && (r.Case.Drops > 0 || r.Case.Overflow > 0)
}

// holeOpens reports whether the documented hole can open in this run.
func (r *Run) holeOpens() bool {
	return r.reborn && r.Hole || r.opens(simkernel.Flavour{Forks: r.Kernel.Flavour, Lineage: r.Kernel.Remembers})
}

func (r *Run) checkMember(id process.Identity, belongs func(*simkernel.Process) bool) {
	for _, p := range r.Kernel.All {
		if p.Identity() == id {
			if !belongs(p) && !r.Mistaken {
				r.fail("the stranger %s is a member", p)
			}
			return
		}
	}
	r.fail("member %v never was a process", id)
}

// lost returns the live members of a tree that would be found empty now: the table
// shows none of them, that is settled, and the lease is free.
func (r *Run) lost() (lost []*simkernel.Process) {
	if r.Tree == nil || !r.Tree.FoundEmpty() {
		return nil
	}
	for _, p := range r.Kernel.Listed {
		if !p.Member || !p.Alive() {
			continue
		}
		if p.Lease {
			return nil
		}
		lost = append(lost, p)
	}
	return lost
}

// finish checks what must be so when nothing more can happen.
func (r *Run) finish() {
	if r.Tree == nil {
		panic(ending{})
	}
	if r.actor != nil {
		if failure := r.actor.Finish(); failure != "" {
			r.fail("%s", failure)
		}
	}
	living := 0
	for _, p := range r.Kernel.Listed {
		if p.Member && p.Alive() {
			living++
			if r.Kernel.Shown(p) && !r.knows(p) {
				r.fail("%s lives on, was shown to belong, and is no member", p)
			}
		}
	}
	if living == 0 && !r.Tree.Emptied() && !r.Unannounced() && !r.TakesStranger() && !r.Unproven() {
		r.fail("all are dead, and the tree is not found empty")
	}
	if r.neighbourIsLeft() {
		r.fail("all of the neighbour are dead, and it is not found empty")
	}
	panic(ending{})
}

// Unproven reports whether the end of the tree cannot be known: the table hides processes,
// and neither the notices alone nor the children of init prove it.
func (r *Run) Unproven() bool {
	return r.Kernel.Hides && !r.Kernel.ShowsInit && (r.Kernel.Flavour != process.ForksNamed || r.Case.Overflow > 0 || r.Case.Late || r.reborn)
}

// TakesStranger reports whether a stranger that lives is taken for a member, in a case
// where that can be.
func (r *Run) TakesStranger() bool {
	return r.Mistaken && slices.ContainsFunc(r.Kernel.Listed, func(p *simkernel.Process) bool {
		return !p.Member && p.Alive() && r.knows(p)
	})
}

func (r *Run) knows(p *simkernel.Process) (known bool) {
	r.Follower.Do(func(c *core.Core) { known = c.Knows(p.PID) })
	return known
}
