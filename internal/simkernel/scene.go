package simkernel

import (
	"fmt"
	"slices"
)

// A Scene is a few processes with something to do: a root and strangers.
type Scene struct {
	// Root is what the root of the tree does.
	Root []Op
	// Careless gives it a parent that never waits for it.
	Careless bool
	// Leaderless puts the root into the shell's group instead of its own.
	Leaderless bool
	// Strangers are other children of the shell, or orphans in its group.
	Strangers [][]Op
	Strays    bool
	// Fellows puts the strangers into the group that the root leads, as a shell does with
	// the processes of a pipeline.
	Fellows bool
	// Neighbour is what the root of another tree does, if there is one: a child of the
	// shell that leads a group, or with Inside a child of the root.
	Neighbour []Op
	Inside    bool
	// Before is what children do that the root has made before it became the root.
	Before [][]Op
	// Mark is in the environment of the root, and with Copied in those of the strangers.
	Mark   string
	Copied bool
	// InnerMark is in the environment of the neighbour too, where there is a Mark.
	InnerMark string
	// Shell is what the shell does. It stays if that is nil.
	Shell []Op
}

// Set makes the processes that are there at the beginning. The root is a child of
// init, or of a shell where one is needed.
func (k *Kernel) Set(s Scene) {
	var shell *Process
	if s.Careless || s.Leaderless || len(s.Strangers) > 0 || s.Shell != nil || s.Neighbour != nil && !s.Inside {
		shell = k.spawn(nil, []Op{Stay})
		if s.Shell != nil {
			shell.program = s.Shell
		}
		shell.name, shell.noWait = "shell", !s.Careless
	}
	root := k.spawn(shell, s.Root)
	root.name, root.Member, root.Lease = "A", true, true
	var marks []string
	if k.Marked = s.Mark != ""; k.Marked {
		marks = []string{s.Mark}
	}
	root.marks = marks
	for i, program := range s.Strangers {
		p := k.spawn(shell, program)
		p.name = fmt.Sprintf("X%d", i+1)
		if s.Strays {
			p.parent, p.orphan = nil, true
		}
		if s.Copied {
			p.marks = marks
		}
		switch {
		case s.Fellows:
			p.pgid = root.PID
		case !s.Leaderless:
			p.pgid = p.PID
		}
	}
	if !s.Leaderless {
		root.pgid = root.PID
	}
	for i, program := range s.Before {
		p := k.spawn(root, program)
		p.name, p.pgid, p.Member, p.Lease = fmt.Sprintf("C%d", i+1), root.pgid, false, false
	}
	if s.Neighbour != nil {
		k.setNeighbour(s, shell, root)
	}
	at := slices.Index(k.All, root)
	k.All[0], k.All[at] = root, k.All[0]
	k.All[0].index, k.All[at].index = 0, at
}

func (k *Kernel) setNeighbour(s Scene, shell, root *Process) {
	p := k.spawn(root, s.Neighbour)
	if !s.Inside {
		p.parent, p.mother, p.maker, p.marks = shell, shell, shell.start, nil
		p.pgid, p.Member = p.PID, false
	}
	p.name, p.Neighbour = "N", true
	if k.Marked {
		p.marks = append(slices.Clip(p.marks), s.InnerMark)
	}
	k.neighbour = p.index
}

// NeighbourOwner returns the root of the other tree.
func (k *Kernel) NeighbourOwner() *Process { return k.All[k.neighbour] }

// Owner returns the root of the scene.
func (k *Kernel) Owner() *Process { return k.All[0] }

// Shown reports whether a notice or a row showed the tracker that a process belongs to
// the tree. The evidence is its mother, the maker of an orphan, or the creator of an
// orphan's group or session. That process must be shown to belong to the tree as well.
func (k *Kernel) Shown(p *Process) bool { return k.shownBy(p, nil) }

// shownBy is Shown without the processes whose own evidence is being looked for.
func (k *Kernel) shownBy(p *Process, asking []*Process) bool {
	switch {
	case p == k.Owner() || p != nil && p.known:
		return true
	case p != nil && p.markShown:
		return true
	case p == nil || slices.Contains(asking, p):
		return false
	}
	asking = append(asking, p)
	if (p.named || p.underMother) && k.shownBy(p.mother, asking) {
		return true
	}
	if maker := k.born(p.lineageSeen); p.lineageShown && maker != nil && maker.Member && maker.rowSeen && k.shownBy(maker, asking) {
		return true
	}
	return slices.ContainsFunc(p.ids, func(id int) bool {
		creator := k.latest(id)
		return creator != nil && creator.Member && k.shownBy(creator, asking)
	})
}

// Carries reports whether a process is an orphan whose environment shows a mark, and always
// has.
func (k *Kernel) Carries(p *Process) bool {
	return p.parent == nil && p.marked() && p.programs == 0 && !p.secret
}

// Living counts the processes of the root's tree that live: the truth, whatever the
// tracker knows.
func (k *Kernel) Living() (living int) {
	for _, p := range k.Listed {
		if p.Member && p.Alive() {
			living++
		}
	}
	return living
}
