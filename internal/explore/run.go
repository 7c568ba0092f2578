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
	k.Misread = c.Misread
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
		r.welcome()
		r.Follower.Do(func(c *core.Core) { r.checkPlaces(c, r.holderOf) })
		if err := r.Follower.Step(); err != nil {
			r.fail("the tracker ends: %v", err)
		}
		r.Kernel.Reconsider()
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

// schedule has other steps precede that of the tracker, as the chooser chooses.
func (r *Run) schedule(patience time.Duration) {
	for {
		r.check()
		r.steppers = r.ready(r.steppers[:0])
		ready := r.steppers
		wanted := r.recheck || r.asked()
		early := r.Kernel.Flavour == process.ForksNamed && patience > time.Second/2 && len(ready) > 0 && !r.Kernel.Pending() && !wanted
		// A process is between two programs for a moment: time does not pass.
		passes := patience > 0 && (!early || r.Looks > 0) && !r.Kernel.Between()
		tracker := patience == 0 || passes || r.Kernel.Pending() || wanted
		r.first = 0
		if tracker {
			r.first = 1
		}
		options := r.first + len(ready)
		quiet := len(ready) == 0 && patience != 0 && !r.Kernel.Pending() && !wanted
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
