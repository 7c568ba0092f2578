package tracker

import (
	"fmt"
	"slices"
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// A simCase is a small world: a tree to be followed, and strangers.
type simCase struct {
	name string
	// root is what the root of the tree does.
	root []simOp
	// careless gives it a parent that never waits for it.
	careless bool
	// strangers are other children of the shell, or orphans in its group.
	strangers [][]simOp
	strays    bool
	// late lets the processes run before the tracker has read the table once.
	late bool
	// maxPID is where PIDs wrap; 0 for never.
	maxPID int
	// leaderless puts the root into the shell's group instead of its own.
	leaderless bool
	// faults is how many reads may fail, refusals how many watches, overflow how
	// many events fit.
	faults, refusals, overflow int
	// traced tells that a debugger plays a part, which only XNU shows.
	traced bool
	// hole tells that the documented hole opens: in some schedule the tree is
	// found empty while somebody lives who let the lease go and of whom the
	// tracker was never shown that it belongs.
	hole bool
	// byLineage tells that lineage closes it.
	byLineage bool
}

// differs tells whether the case is another one than its program alone on a
// kind of kernel.
func (c simCase) differs(flavour simFlavour) bool {
	switch {
	case c.overflow > 0:
		return flavour.forks == process.ForksNamed
	case c.traced:
		return flavour.forks == process.ForksAnnounced
	}
	return true
}

// opens tells whether some schedule of the case has to open the documented hole.
// A kernel that names each child has none, once the tracker is there.
func (c simCase) opens(flavour simFlavour) bool {
	return c.hole && !(flavour.lineage && c.byLineage) && (flavour.forks != process.ForksNamed || c.late || c.overflow > 0)
}

// A simRun is one schedule of a case.
type simRun struct {
	simCase
	kernel   *simKernel
	follower *follower
	tree     *tree
	choose   func(options int, quiet bool) int
	trusted  bool    // nothing to check: these states were seen before
	choices  []uint8 // made so far
	onStep   func()  // the tracker begins a step
}

// simEnd ends a run from inside of a system call.
type simEnd struct{ failure string }

func newSimRun(c simCase, flavour simFlavour, choose func(options int, quiet bool) int) *simRun {
	if c.maxPID == 0 {
		c.maxPID = 100
	}
	k := newSimKernel(flavour, c.maxPID)
	k.faults, k.refusals, k.overflow = c.faults, c.refusals, c.overflow
	r := &simRun{simCase: c, kernel: k, choose: choose}
	k.schedule, k.fail, k.belongs = r.schedule, r.fault, r.shown
	r.follower = newFollower(k, -1, func() time.Time { return k.now })
	r.people()
	return r
}

// people makes the processes that are there at the beginning. The root is a
// child of init, or of a shell where one is needed.
func (r *simRun) people() {
	k := r.kernel
	var shell *simProc
	if r.careless || r.leaderless || len(r.strangers) > 0 {
		shell = k.spawn(nil, []simOp{stay})
		shell.name, shell.noWait = "shell", !r.careless
	}
	root := k.spawn(shell, r.root)
	root.name, root.member, root.lease = "A", true, true
	for i, program := range r.strangers {
		s := k.spawn(shell, program)
		s.name = fmt.Sprintf("X%d", i+1)
		if r.strays {
			s.parent, s.orphan = nil, true
		}
		if !r.leaderless {
			s.pgid = s.pid
		}
	}
	if !r.leaderless {
		root.pgid = root.pid
	}
	at := slices.Index(k.everybody, root)
	k.everybody[0], k.everybody[at] = root, k.everybody[0]
}

// fault lets one of the calls fail that still may, as the chooser likes.
func (r *simRun) fault(left *int) bool {
	if *left == 0 || r.choose(2, false) == 0 {
		return false
	}
	*left--
	return true
}

func (r *simRun) owner() *simProc { return r.kernel.everybody[0] }

// run plays the schedule to its end, from the beginning or from where it was
// copied, and returns what went wrong, if anything.
func (r *simRun) run() (failure string) {
	defer func() {
		p := recover()
		end, ok := p.(simEnd)
		if !ok {
			panic(p)
		}
		failure = end.failure
	}()
	if r.tree == nil {
		t, err := r.follower.Track(r.owner().pid)
		if err != nil {
			panic(simEnd{}) // the root died first: documented
		}
		r.tree = t
	}
	for {
		r.kernel.stage = 0
		if r.onStep != nil {
			r.onStep()
		}
		if err := r.follower.Step(); err != nil {
			r.fail("the tracker ends: %v", err)
		}
	}
}

// schedule lets others go ahead of the tracker, as the chooser likes.
func (r *simRun) schedule(patience time.Duration) {
	for {
		r.check()
		ready := r.ready()
		tracker := patience == 0 || patience > 0 || r.kernel.pending()
		options := len(ready)
		if tracker {
			options++
		}
		quiet := len(ready) == 0 && patience != 0 && !r.kernel.pending()
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
		ready[choice].step()
	}
}

// ready returns who can take a step.
func (r *simRun) ready() (ready []*simProc) {
	if !r.late && (r.tree == nil || r.tree.reads == 0) {
		return nil
	}
	for _, p := range r.kernel.everybody {
		if p.enabled() {
			ready = append(ready, p)
		}
	}
	return ready
}

// check holds the promise against the present state.
func (r *simRun) check() {
	if r.tree == nil || r.trusted {
		return
	}
	for _, m := range r.follower.core.known {
		if m.alive() && m.Start != 0 {
			r.checkMember(m)
		}
	}
	if lost := r.lost(); len(lost) > 0 {
		for _, p := range lost {
			if r.shown(p) {
				r.fail("found empty while %s lives, of whom the tracker was shown that it belongs", p)
			}
		}
		if !r.hole || r.kernel.remembers && r.byLineage || r.kernel.flavour == process.ForksNamed && r.overflow == 0 && !r.late {
			r.fail("found empty while %s lives", lost[0])
		}
	}
}

func (r *simRun) checkMember(m *member) {
	for _, p := range r.kernel.everybody {
		if p.identity() == m.Identity {
			if !p.member {
				r.fail("the stranger %s is a member", p)
			}
			return
		}
	}
	r.fail("member %v never was a process", m.Identity)
}

// lost returns the living whose tree would be found empty now: the table shows
// nobody, that is settled, and the lease is free.
func (r *simRun) lost() (lost []*simProc) {
	if !r.tree.emptied || !r.tree.Settled() || r.tree.living > 0 {
		return nil
	}
	for _, p := range r.kernel.procs {
		if !p.member || !p.alive() {
			continue
		}
		if p.lease {
			return nil
		}
		lost = append(lost, p)
	}
	return lost
}

// shown reports whether the tracker was told or shown that a process belongs
// to the tree: over its mother, or as an orphan that a process of the tree made
// or in the group or session that one created, who was shown to belong in turn.
func (r *simRun) shown(p *simProc) bool { return r.shownBy(p, nil) }

// shownBy leaves out those whose own evidence is being asked for.
func (r *simRun) shownBy(p *simProc, asking []*simProc) bool {
	switch {
	case p == r.owner():
		return true
	case p == nil || slices.Contains(asking, p):
		return false
	}
	asking = append(asking, p)
	if (p.named || p.underMother) && r.shownBy(p.mother, asking) {
		return true
	}
	if maker := r.kernel.born(p.lineageSeen); p.lineageShown && maker != nil && maker.member && r.shownBy(maker, asking) {
		return true
	}
	return slices.ContainsFunc(p.ids, func(id int) bool {
		creator := r.kernel.latest(id)
		return creator != nil && creator.member && r.shownBy(creator, asking)
	})
}

// finish checks what must be so when nothing more can happen.
func (r *simRun) finish() {
	if r.tree == nil {
		panic(simEnd{})
	}
	living := 0
	for _, p := range r.kernel.procs {
		if p.member && p.alive() {
			living++
			if m := r.follower.core.known[p.pid]; r.shown(p) && (m == nil || m.dead) {
				r.fail("%s lives on, was shown to belong, and is no member", p)
			}
		}
	}
	// A debugger that never waits for the dead one it holds lets nobody know.
	held := slices.ContainsFunc(r.kernel.procs, func(p *simProc) bool { return p.member && p.real != 0 })
	if living == 0 && !r.tree.emptied && !held {
		r.fail("all are dead, and the tree is not found empty")
	}
	panic(simEnd{})
}

func (r *simRun) fail(format string, args ...any) {
	panic(simEnd{fmt.Sprintf(format, args...)})
}
