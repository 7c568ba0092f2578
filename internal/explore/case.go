package explore

import (
	"slices"

	"github.com/gemini-monitor/gemini/internal/simkernel"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// A Case is a small world: a tree to be followed, and strangers.
type Case struct {
	Name string
	// Root is what the root of the tree does.
	Root []simkernel.Op
	// Careless gives it a parent that never waits for it.
	Careless bool
	// Strangers are other children of the shell or, with Strays, orphans in its
	// group.
	Strangers [][]simkernel.Op
	Strays    bool
	// Fresh means that the root waits until it is followed, so that no other process of
	// the beginning is a member: those in its group with Fellows, the children that it
	// has already (Before), and the shell, which may exit (Shell).
	Fresh, Fellows bool
	Before         [][]simkernel.Op
	Shell          []simkernel.Op
	// Mistaken means that in some schedule a stranger is taken for a member: one that
	// was made after the tree began.
	Mistaken bool
	// Late lets the processes run before the tracker has begun with the tree. With Recalled,
	// it begins with what a journal names: the root.
	Late, Recalled bool
	// MaxPID is where PIDs wrap; 0 for never.
	MaxPID int
	// Leaderless puts the root into the shell's group instead of its own.
	Leaderless bool
	// Faults is how many reads may fail, Refusals how many watches may be refused, Drops
	// how many events may be dropped without a word, and Overflow how many events fit; 0
	// is no limit.
	Faults, Refusals, Drops, Overflow int
	// Looks is how many times the tracker may be done with waiting for its next look, of
	// a second or more, while processes still have steps to take, where forks are named.
	// When they have none, it always may.
	Looks int
	// Traced means that a debugger takes part, which only XNU shows.
	Traced bool
	// Long means that the case takes long where lineage is kept, which adds links and
	// nothing else: "make explore" leaves that to the night.
	Long bool
	// Night has the kinds of kernels, by their forks, where the case takes long and another
	// case or kind has its steps: "make explore" leaves it to the night there.
	Night []process.Forks
	// Covered means that another case has the same steps and a stricter check. "make
	// explore" leaves it to the night.
	Covered bool
	// Named means that the case is for kernels that name forks. Where others open the
	// documented hole, a case like it shows that already.
	Named bool
	// Hides means that the table hides the processes of other users, which only Linux
	// does. ShowsInit means that init is not hidden.
	Hides, ShowsInit bool
	// Hole means that the documented hole opens: in some schedule the tree is found
	// empty while a member lives that has closed the lease and was never shown to the
	// tracker as a member.
	Hole bool
	// ByLineage means that lineage closes the hole.
	ByLineage bool
	// Marked means that the environment of the root has the mark of the tree, and with
	// Copied those of the strangers too.
	Marked, Copied bool
	// Misread is what the tracker takes the answer of a process for that it asks for its
	// marks: a wrong way to ask.
	Misread func(marks []string, err error) ([]string, error)
	// Hasty means that a process that asks to join is answered before the tracker counts it: a
	// wrong way to answer.
	Hasty bool
	// Neighbour is what the root of another tree does, which the tracker follows too, for a
	// case with Deaths and no actor. With Inside, it is a child of the root.
	Neighbour []simkernel.Op
	Inside    bool
	// Deaths is how many times the tracker may die, to be followed by another one. The
	// actor is an [Heir] then; where the case has none, it is a [Scribe].
	Deaths int
	// Amend changes what the next tracker is told of the tree: a wrong way to take over.
	Amend func(Actor, trees.History) trees.History
	// Actor makes what takes part beside the tracker, when the scene is set. Most
	// cases have none.
	Actor func(*Run) Actor
}

// isLong reports whether the case is visited at night on a kind of kernel.
func (c Case) isLong(flavour simkernel.Flavour) bool {
	return c.Long && flavour.Lineage || c.Covered || slices.Contains(c.Night, flavour.Forks)
}

// Differs reports whether the case is another one than its program alone on a
// kind of kernel.
func (c Case) Differs(flavour simkernel.Flavour) bool {
	switch {
	case c.Overflow > 0, c.Drops > 0, c.Named:
		return flavour.Forks == process.ForksNamed
	case c.Hides:
		return flavour.Forks != process.ForksAnnounced
	case c.Traced:
		return flavour.Forks == process.ForksAnnounced
	}
	return true
}

// opens reports whether some schedule of the case has to open the documented hole.
// A kernel that names each child has none, once the tracker is there.
func (c Case) opens(flavour simkernel.Flavour) bool {
	return c.Hole && !(flavour.Lineage && c.ByLineage) && (flavour.Forks != process.ForksNamed || c.Late || c.Overflow > 0 || c.Drops > 0)
}

func (c Case) scene() simkernel.Scene {
	return simkernel.Scene{Root: c.Root, Careless: c.Careless, Leaderless: c.Leaderless, Strangers: c.Strangers, Strays: c.Strays,
		Neighbour: c.Neighbour, Inside: c.Inside, Fellows: c.Fellows, Before: c.Before, Shell: c.Shell, Mark: c.mark(), Copied: c.Copied, InnerMark: innerMark}
}

// mark is that of the tree, if it has one.
func (c Case) mark() string {
	if c.Marked {
		return theMark
	}
	return ""
}

const theMark, innerMark = "mark", "inner"

// innerMarks are those of the neighbour.
func (c Case) innerMarks() []string {
	switch {
	case !c.Marked:
		return nil
	case c.Inside:
		return []string{c.mark(), innerMark}
	}
	return []string{innerMark}
}

func (c Case) marks() []string {
	if c.Marked {
		return []string{c.mark()}
	}
	return nil
}
