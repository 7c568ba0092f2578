package explore

import (
	"fmt"
	"slices"
	"time"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/internal/simkernel"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// A Case is a small world: a tree to be followed, and strangers.
type Case struct {
	Name string
	// root is what the root of the tree does.
	Root []simkernel.Op
	// careless gives it a parent that never waits for it.
	Careless bool
	// strangers are other children of the shell, or orphans in its group.
	Strangers [][]simkernel.Op
	Strays    bool
	// late lets the processes run before the tracker has read the table once.
	Late bool
	// maxPID is where PIDs wrap; 0 for never.
	MaxPID int
	// leaderless puts the root into the shell's group instead of its own.
	Leaderless bool
	// faults is how many reads may fail, refusals how many watches, overflow how
	// many events fit.
	Faults, Refusals, Overflow int
	// traced tells that a debugger plays a part, which only XNU shows.
	Traced bool
	// hole tells that the documented hole opens: in some schedule the tree is
	// found empty while somebody lives who let the lease go and of whom the
	// tracker was never shown that it belongs.
	Hole bool
	// byLineage tells that lineage closes it.
	ByLineage bool
}

// differs tells whether the case is another one than its program alone on a
// kind of kernel.
func (c Case) differs(flavour simkernel.Flavour) bool {
	switch {
	case c.Overflow > 0:
		return flavour.Forks == process.ForksNamed
	case c.Traced:
		return flavour.Forks == process.ForksAnnounced
	}
	return true
}

// opens tells whether some schedule of the case has to open the documented hole.
// A kernel that names each child has none, once the tracker is there.
func (c Case) opens(flavour simkernel.Flavour) bool {
	return c.Hole && !(flavour.Lineage && c.ByLineage) && (flavour.Forks != process.ForksNamed || c.Late || c.Overflow > 0)
}

// A Run is one schedule of a case.
type Run struct {
	Case
	kernel   *simkernel.Kernel
	follower *core.Follower
	tree     *core.Tree
	choose   func(options int, quiet bool) int
	trusted  bool    // nothing to check: these states were seen before
	choices  []uint8 // made so far
	onStep   func()  // the tracker begins a step
}

// simEnd ends a run from inside of a system call.
type ending struct{ failure string }

// NewRun sets the scene of a case. Choose picks one of the options at each point where
// processes can get ahead of the tracker; quiet tells that nothing but time can pass.
func NewRun(c Case, flavour simkernel.Flavour, choose func(options int, quiet bool) int) *Run {
	if c.MaxPID == 0 {
		c.MaxPID = 100
	}
	k := simkernel.New(flavour, c.MaxPID)
	k.Faults, k.Refusals, k.Overflow = c.Faults, c.Refusals, c.Overflow
	r := &Run{Case: c, kernel: k, choose: choose}
	k.Schedule, k.Fail, k.Belongs = r.schedule, r.fault, k.Shown
	r.follower = core.NewFollower(k, -1, func() time.Time { return k.Now })
	k.Set(c.scene())
	return r
}

// fault lets one of the calls fail that still may, as the chooser likes.
func (r *Run) fault(left *int) bool {
	if *left == 0 || r.choose(2, false) == 0 {
		return false
	}
	*left--
	return true
}

func (c Case) scene() simkernel.Scene {
	return simkernel.Scene{Root: c.Root, Careless: c.Careless, Leaderless: c.Leaderless, Strangers: c.Strangers, Strays: c.Strays}
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
	if r.tree == nil {
		t, err := r.follower.Track(r.kernel.Owner().PID)
		if err != nil {
			panic(ending{}) // the root died first: documented
		}
		r.tree = t
	}
	for {
		r.kernel.Stage = 0
		if r.onStep != nil {
			r.onStep()
		}
		if err := r.follower.Step(); err != nil {
			r.fail("the tracker ends: %v", err)
		}
	}
}

// schedule lets others go ahead of the tracker, as the chooser likes.
func (r *Run) schedule(patience time.Duration) {
	for {
		r.check()
		ready := r.ready()
		tracker := patience == 0 || patience > 0 || r.kernel.Pending()
		options := len(ready)
		if tracker {
			options++
		}
		quiet := len(ready) == 0 && patience != 0 && !r.kernel.Pending()
		if options == 0 {
			r.finish()
		}
		choice := r.choose(options, quiet)
		if choice >= options {
			r.fail("there is no choice %d here", choice)
		}
		if tracker && choice == 0 {
			return
		}
		if tracker {
			choice--
		}
		ready[choice].Step()
	}
}

// ready returns who can take a step.
func (r *Run) ready() (ready []*simkernel.Process) {
	if !r.Late && (r.tree == nil || r.tree.Reads() == 0) {
		return nil
	}
	for _, p := range r.kernel.All {
		if p.Enabled() {
			ready = append(ready, p)
		}
	}
	return ready
}

// check holds the promise against the present state.
func (r *Run) check() {
	if r.tree == nil || r.trusted {
		return
	}
	r.follower.Do(func(c *core.Core) {
		for id := range c.Alive() {
			if id.Start != 0 {
				r.checkMember(id)
			}
		}
	})
	if lost := r.lost(); len(lost) > 0 {
		for _, p := range lost {
			if r.kernel.Shown(p) {
				r.fail("found empty while %s lives, of whom the tracker was shown that it belongs", p)
			}
		}
		if !r.Hole || r.kernel.Remembers && r.ByLineage || r.kernel.Flavour == process.ForksNamed && r.Overflow == 0 && !r.Late {
			r.fail("found empty while %s lives", lost[0])
		}
	}
}

func (r *Run) checkMember(id process.Identity) {
	for _, p := range r.kernel.All {
		if p.Identity() == id {
			if !p.Member {
				r.fail("the stranger %s is a member", p)
			}
			return
		}
	}
	r.fail("member %v never was a process", id)
}

// lost returns the living whose tree would be found empty now: the table shows
// nobody, that is settled, and the lease is free.
func (r *Run) lost() (lost []*simkernel.Process) {
	if !r.tree.FoundEmpty() {
		return nil
	}
	for _, p := range r.kernel.Listed {
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
	if r.tree == nil {
		panic(ending{})
	}
	living := 0
	for _, p := range r.kernel.Listed {
		if p.Member && p.Alive() {
			living++
			if r.kernel.Shown(p) && !r.knows(p) {
				r.fail("%s lives on, was shown to belong, and is no member", p)
			}
		}
	}
	// A debugger that never waits for the dead one it holds lets nobody know.
	held := slices.ContainsFunc(r.kernel.Listed, func(p *simkernel.Process) bool { return p.Member && p.Real != 0 })
	if living == 0 && !r.tree.Emptied() && !held {
		r.fail("all are dead, and the tree is not found empty")
	}
	panic(ending{})
}

func (r *Run) knows(p *simkernel.Process) (known bool) {
	r.follower.Do(func(c *core.Core) { known = c.Knows(p.PID) })
	return known
}

func (r *Run) fail(format string, args ...any) {
	panic(ending{fmt.Sprintf(format, args...)})
}

// clone copies a run between two steps of the tracker.
func (r *Run) clone() *Run {
	n := &Run{Case: r.Case, choices: slices.Clone(r.choices)}
	n.kernel = r.kernel.Clone()
	n.kernel.Schedule, n.kernel.Fail, n.kernel.Belongs = n.schedule, n.fault, n.kernel.Shown
	var trees map[*core.Tree]*core.Tree
	n.follower, trees = r.follower.Clone(n.kernel, func() time.Time { return n.kernel.Now })
	n.tree = trees[r.tree]
	return n
}

// encode writes down all that the future of a run depends on.
func (r *Run) encode() (text []byte) {
	text = r.kernel.AppendState(nil)
	r.follower.Do(func(c *core.Core) { text = c.AppendState(text) })
	return text
}
