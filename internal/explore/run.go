package explore

import (
	"fmt"
	"slices"
	"time"

	"github.com/gemini-monitor/gemini/internal/core"
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
	// Late lets the processes run before the tracker has read the table once.
	Late bool
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

// A Run is one schedule of a case.
type Run struct {
	Case
	// Kernel, Follower and Tree are those of the run. The tree is nil until it is tracked.
	Kernel   *simkernel.Kernel
	Follower *core.Follower
	Tree     *core.Tree
	actor    Actor     // nil unless the case has one
	recheck  bool      // the actor has called Recheck, and the tracker has not begun it
	since    int       // how many reads had begun before the last Recheck
	looked   look      // how the tree looked at the last check
	deciding bool      // the actor is in the middle of a step
	stepping bool      // the chooser chooses which step is next
	first    int       // the option that stands for the first of the steppers
	steppers []stepper // beside the tracker, which is option 0 if first is 1
	choose   func(options int, quiet bool) int
	trusted  bool    // nothing to check: these states were seen before
	choices  []uint8 // made so far
	onStep   func()  // the tracker begins a step

	reborn bool // a tracker has died
	dying  bool // the actor has not died yet with the last one

	Beside   *core.Tree // the tree of the neighbour, while it is followed
	parted   bool       // it was found empty, and is not followed any more
	ordering bool       // the order of the trees is being chosen
}

// ending ends a run from inside of a system call.
type ending struct{ failure string }

// NewRun sets the scene of a case. Choose picks one of the options at each point where
// processes can get ahead of the tracker; quiet means that nothing but time can pass.
func NewRun(c Case, flavour simkernel.Flavour, choose func(options int, quiet bool) int) *Run {
	if c.MaxPID == 0 {
		c.MaxPID = 100
	}
	k := simkernel.New(flavour, c.MaxPID)
	k.Faults, k.Refusals, k.Drops, k.Overflow = c.Faults, c.Refusals, c.Drops, c.Overflow
	k.Hides, k.ShowsInit = c.Hides && flavour.Forks != process.ForksAnnounced, c.ShowsInit
	r := &Run{Case: c, Kernel: k, choose: choose}
	k.Schedule, k.Fail, k.Belongs = r.schedule, r.fault, k.Shown
	r.Follower = r.newFollower()
	k.Set(c.scene())
	switch {
	case c.Actor != nil:
		r.actor = c.Actor(r)
	case c.Deaths > 0:
		r.actor = &Scribe{Run: r}
	}
	return r
}

// fault has one of the calls fail that still may, if the chooser chooses that.
func (r *Run) fault(left *int) bool {
	if *left == 0 || r.choose(2, false) == 0 {
		return false
	}
	*left--
	return true
}

func (c Case) scene() simkernel.Scene {
	return simkernel.Scene{Root: c.Root, Careless: c.Careless, Leaderless: c.Leaderless, Strangers: c.Strangers, Strays: c.Strays,
		Neighbour: c.Neighbour, Inside: c.Inside, Fellows: c.Fellows, Before: c.Before, Shell: c.Shell, Mark: c.mark(), Copied: c.Copied, InnerMark: innerMark}
}

// run plays the schedule to its end, from the beginning or from where it was
// copied, and returns what went wrong, if anything.
func (r *Run) run() (failure string) {
	defer func() {
		p := recover()
		end, ok := p.(ending)
		if !ok {
			panic(p)
		}
		failure = end.failure
	}()
	if r.Tree == nil && !r.reborn {
		t, err := r.begin()
		if err != nil {
			panic(ending{}) // the root died first: documented
		}
		r.Tree = t
		if r.Neighbour != nil {
			r.Beside, err = r.Follower.Track(r.Kernel.NeighbourOwner().PID, r.innerMarks()...)
		}
		if err != nil {
			panic(ending{})
		}
	}
	for {
		r.live()
	}
}

// follow has the tracker take steps until the run ends or it dies.
func (r *Run) follow() {
	for {
		r.Kernel.Stage = 0
		r.tend()
		if r.onStep != nil {
			r.onStep()
		}
		if r.recheck {
			r.recheck = false
			r.since = r.Follower.Recheck(r.Tree)
		}
		if err := r.Follower.Step(); err != nil {
			r.fail("the tracker ends: %v", err)
		}
	}
}

// begin has the tracker follow the tree.
func (r *Run) begin() (*core.Tree, error) {
	root := r.Kernel.Owner().Identity()
	if r.Fresh {
		return r.Follower.Resume(root, trees.History{Members: []process.Identity{root}, Fresh: true, Marks: r.marks()})
	}
	return r.Follower.Track(root.PID, r.marks()...)
}

// mark is that of the tree, if it has one.
func (c Case) mark() string {
	if c.Marked {
		return "mark"
	}
	return ""
}

const innerMark = "inner"

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

// schedule has other steps precede that of the tracker, as the chooser chooses.
func (r *Run) schedule(patience time.Duration) {
	for {
		r.check()
		r.steppers = r.ready(r.steppers[:0])
		ready := r.steppers
		early := r.Kernel.Flavour == process.ForksNamed && patience > time.Second/2 && len(ready) > 0 && !r.Kernel.Pending() && !r.recheck
		tracker := patience == 0 || patience > 0 && (!early || r.Looks > 0) || r.Kernel.Pending() || r.recheck
		r.first = 0
		if tracker {
			r.first = 1
		}
		options := r.first + len(ready)
		quiet := len(ready) == 0 && patience != 0 && !r.Kernel.Pending() && !r.recheck
		over := options == 0
		r.steppers = r.appendEnders(ready)
		ready = r.steppers
		switch {
		case over && len(ready) == 0:
			r.finish()
		case over:
			r.first = 1 // stands for the end of the run
		}
		options = r.first + len(ready)
		r.stepping = true
		choice := r.choose(options, quiet)
		r.stepping = false
		if choice >= options {
			r.fail("there is no choice %d here", choice)
		}
		if choice < r.first {
			if over {
				r.finish()
			}
			if early {
				r.Looks--
			}
			return
		}
		ready[choice-r.first].Step()
	}
}

// ready appends the processes that can take a step, and the actor and the dropper of
// events if they can.
func (r *Run) ready(ready []stepper) []stepper {
	if r.Tree != nil && r.actor != nil && r.actor.Ready() {
		ready = append(ready, r.actor)
	}
	if d, ok := r.Kernel.Dropper(); ok && r.Tree != nil {
		ready = append(ready, d)
	}
	early := !r.reborn && (r.Tree == nil || !r.Tree.Begun())
	if early && !r.Late && !r.Fresh {
		return ready
	}
	for _, p := range r.Kernel.All {
		if p.Enabled() && !(early && r.Fresh && p == r.Kernel.Owner()) {
			ready = append(ready, p)
		}
	}
	return ready
}

// A peeker is a stepper whose step changes the kernel only.
type peeker interface {
	// After returns a copy of the kernel in which the step is taken.
	After() *simkernel.Kernel
}

// peek returns a copy of the kernel as it is after a choice, and what the state has
// beside it, or nil if the choice changes more than the kernel. A death changes all of it
// in one way.
func (r *Run) peek(choice int, beside []byte) (*simkernel.Kernel, []byte) {
	if !r.stepping || choice < r.first {
		return nil, nil
	}
	switch p := r.steppers[choice-r.first].(type) {
	case peeker:
		return p.After(), beside
	case killer:
		dead := r.dead()
		return dead.Kernel, dead.appendBeside(nil)
	}
	return nil, nil
}

func (r *Run) fail(format string, args ...any) {
	panic(ending{fmt.Sprintf(format, args...)})
}

// clone copies a run between two steps of the tracker.
func (r *Run) clone() *Run {
	n := &Run{Case: r.Case, choices: slices.Clone(r.choices)}
	n.Kernel = r.Kernel.Clone()
	n.Kernel.Schedule, n.Kernel.Fail, n.Kernel.Belongs = n.schedule, n.fault, n.Kernel.Shown
	var copyOf func(*core.Tree) *core.Tree
	n.reborn, n.dying, n.parted = r.reborn, r.dying, r.parted
	if r.Follower != nil {
		n.Follower, copyOf = r.Follower.Clone(n.Kernel, func() time.Time { return n.Kernel.Now })
		n.Tree, n.recheck, n.since, n.looked = copyOf(r.Tree), r.recheck, r.since, r.looked
		if r.Beside != nil {
			n.Beside = copyOf(r.Beside)
		}
	}
	if r.actor != nil {
		n.actor = r.actor.Clone(n)
	}
	return n
}

// appendBeside appends all that the future of a run depends on beside its kernel.
func (r *Run) appendBeside(text []byte) []byte {
	begin := core.StateWriter{Text: append(text, byte(r.Looks), byte(r.Deaths))}
	begin.Flags(r.reborn, r.dying, r.Follower == nil, r.parted, r.ordering, r.Beside != nil)
	text = begin.Text
	if r.Follower != nil {
		r.Follower.Do(func(c *core.Core) { text = c.AppendState(text, r.Kernel.Now) })
	}
	if r.actor != nil {
		s := core.StateWriter{Text: r.actor.AppendState(text)}
		s.Flags(r.recheck, r.deciding, r.Tree != nil && r.failedSince() != nil)
		text = s.Text
	}
	return text
}
