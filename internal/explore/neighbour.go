package explore

import (
	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/internal/simkernel"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// A case with a Neighbour has two trees, which one tracker follows: two runtimes of one
// resident. Both are taken over after its death. The neighbour ends when it is found empty.

// The orders in which a tracker begins with the two trees that a journal names.
const (
	treeFirst      = iota
	neighbourFirst // before the tree
	neighbourLater // when the table has been read for the tree
	orders
)

// checkMembers fails the run if a tree has a member that does not belong to it.
func (r *Run) checkMembers(c *core.Core) {
	for id := range c.Alive(r.Tree) {
		if id.Start != 0 {
			r.checkMember(id, func(p *simkernel.Process) bool { return p.Member })
		}
	}
	if r.Beside == nil {
		return
	}
	for id := range c.Alive(r.Beside) {
		r.checkMember(id, func(p *simkernel.Process) bool { return p.Neighbour })
	}
}

// checkNeighbour fails the run if the neighbour is found empty while one of its processes
// lives. None of them leaves every link behind.
func (r *Run) checkNeighbour() {
	if r.Beside == nil || !r.Beside.FoundEmpty() {
		return
	}
	for _, p := range r.Kernel.Listed {
		if p.Neighbour && p.Alive() && !p.Lease {
			r.fail("the neighbour is found empty while %s lives", p)
		}
	}
}

// neighbourIsLeft reports whether all of the neighbour are dead and it was not found empty.
func (r *Run) neighbourIsLeft() bool {
	if r.Neighbour == nil || r.parted {
		return false
	}
	for _, p := range r.Kernel.Listed {
		if p.Neighbour && p.Alive() {
			return false
		}
	}
	return r.Beside == nil || !r.Beside.Emptied()
}

// tend begins with the neighbour, when its time has come, and ends following it when it
// was found empty. It is called between two steps of the tracker.
func (r *Run) tend() {
	switch {
	case r.Neighbour == nil || r.parted:
	case r.Beside == nil && r.Tree.Begun():
		r.beginBeside()
	case r.Beside != nil && r.Beside.FoundEmpty() && !r.neighbourHoldsLease():
		r.Kernel.Story("the neighbour is over")
		r.Follower.Do(func(c *core.Core) { c.Drop(r.Beside) })
		r.Beside, r.parted = nil, true
	}
}

func (r *Run) neighbourHoldsLease() bool {
	for _, p := range r.Kernel.Listed {
		if p.Neighbour && p.Lease {
			return true
		}
	}
	return false
}

// beginBeside begins with the neighbour by its journal.
func (r *Run) beginBeside() {
	s := r.actor.(*Scribe)
	root := r.Kernel.NeighbourOwner().Identity()
	r.Kernel.Beginning(true)
	tree, err := r.Follower.Resume(root, trees.History{Members: append([]process.Identity{root}, s.beside...), Marks: r.innerMarks()})
	r.Kernel.Beginning(false)
	if err != nil {
		r.fail("the neighbour cannot be taken over: %v", err)
	}
	r.Beside = tree
}

// resumeBoth begins with both trees, in an order of the chooser's.
func (r *Run) resumeBoth(h trees.History) (*core.Tree, error) {
	if r.Neighbour == nil || r.parted {
		return r.resume(h)
	}
	r.ordering = true
	order := r.Choose(orders)
	r.ordering = false
	if order == neighbourFirst {
		r.beginBeside()
		r.Kernel.Beginning(true)
	}
	tree, err := r.resume(h)
	if err == nil && order == treeFirst {
		r.Tree = tree
		r.beginBeside()
	}
	return tree, err
}
