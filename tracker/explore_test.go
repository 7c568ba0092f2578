package tracker

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"time"
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
	// kin tells that lineage closes it.
	kin bool
}

// differs tells whether the case is another one than its program alone on a
// kind of kernel.
func (c simCase) differs(flavour simFlavour) bool {
	switch {
	case c.overflow > 0:
		return flavour.forks == ForksNamed
	case c.traced:
		return flavour.forks == ForksAnnounced
	}
	return true
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
	r.follower = &follower{kernel: k, now: func() time.Time { return k.now }, core: newCore(-1, flavour.forks)}
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
		t, err := r.follower.track(r.owner().pid)
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
		if err := r.follower.step(); err != nil {
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
		if !r.hole || r.kernel.lineage && r.kin || r.kernel.flavour == ForksNamed && r.overflow == 0 && !r.late {
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
	if !r.tree.emptied || !r.tree.settled() || r.tree.living > 0 {
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
	if maker := r.kernel.born(p.kinSeen); p.kinShown && maker != nil && maker.member && r.shownBy(maker, asking) {
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

// An explorer visits every schedule of a case. It does not go on from a state
// that it has been in before. For each way that is left to go, it keeps a copy
// of the run as it was when the tracker began its step, and the choices since.
type explorer struct {
	simCase
	flavour simFlavour
	states  map[[2]uint64]int
	next    [][]int // of each state
	seeds   [2]maphash.Seed
	todo    []simPath
	holes   int
}

// A simPath is the way to a state, and one more choice.
type simPath struct {
	base    *simRun // nil is the beginning
	choices []uint8
	from    int // the state
}

// A simReport says what an exploration found.
type simReport struct {
	states    int
	schedules float64 // ways from the beginning to an end, or around to a state met before
	failure   string
	replay    string
	story     []string
}

// tooMany states are more than the machine's memory and everybody's patience.
const tooMany = 500_000

func (r simReport) String() string {
	return fmt.Sprintf("%d states, %.3g schedules", r.states, r.schedules)
}

func explore(c simCase, flavour simFlavour) simReport {
	e := &explorer{simCase: c, flavour: flavour, states: make(map[[2]uint64]int),
		seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
	e.todo = []simPath{{from: -1}}
	for len(e.todo) > 0 {
		if len(e.states) > tooMany {
			return e.report(fmt.Sprintf("more than %d states: make the program smaller", tooMany), nil)
		}
		path := e.todo[len(e.todo)-1]
		e.todo = e.todo[:len(e.todo)-1]
		if failure, choices := e.visit(path); failure != "" {
			return e.report(failure, choices)
		}
	}
	return e.report("", nil)
}

// visit follows a path and then goes on into the unknown until an end or a
// known state.
func (e *explorer) visit(path simPath) (failure string, choices []uint8) {
	r := e.begin(path)
	at, from, quiet := 0, path.from, -1
	base := path.base
	since := len(r.choices)
	r.choose = func(options int, isQuiet bool) int {
		if at < len(path.choices) {
			choice := path.choices[at]
			at++
			r.trusted = at < len(path.choices)
			r.choices = append(r.choices, choice)
			return int(choice)
		}
		id, isNew := e.state(r)
		e.link(from, id)
		if isQuiet && id == quiet {
			r.finish() // nothing but time passes, and it changes nothing
		}
		if !isNew && !isQuiet {
			panic(simEnd{})
		}
		if isQuiet {
			quiet = id
		}
		from = id
		for other := options - 1; isNew && other > 0; other-- {
			e.todo = append(e.todo, simPath{base, append(slices.Clone(r.choices[since:]), uint8(other)), id})
		}
		r.choices = append(r.choices, 0)
		return 0
	}
	r.onStep = func() {
		if at >= len(path.choices) {
			base, since = r.clone(), len(r.choices)
		}
	}
	failure = r.run()
	if failure == "" && r.tree != nil && len(r.lost()) > 0 {
		e.holes++
	}
	return failure, r.choices
}

func (e *explorer) begin(path simPath) *simRun {
	if path.base != nil {
		r := path.base.clone()
		r.trusted = true
		return r
	}
	r := newSimRun(e.simCase, e.flavour, nil)
	r.trusted = len(path.choices) > 0
	return r
}

func (e *explorer) link(from, to int) {
	if from >= 0 && !slices.Contains(e.next[from], to) {
		e.next[from] = append(e.next[from], to)
	}
}

// state returns the number of the state that a run is in.
func (e *explorer) state(r *simRun) (id int, isNew bool) {
	text := r.encode()
	key := [2]uint64{maphash.Bytes(e.seeds[0], text), maphash.Bytes(e.seeds[1], text)}
	if id, ok := e.states[key]; ok {
		return id, false
	}
	id = len(e.states)
	e.states[key] = id
	e.next = append(e.next, nil)
	if r.tree != nil && len(r.lost()) > 0 {
		e.holes++
	}
	return id, true
}

func (e *explorer) report(failure string, choices []uint8) simReport {
	report := simReport{states: len(e.states), schedules: e.schedules(), failure: failure}
	// A kernel that names each child has no hole, once the tracker is there.
	if want := e.hole && !(e.flavour.lineage && e.kin) && (e.flavour.forks != ForksNamed || e.late || e.overflow > 0); failure == "" && want != (e.holes > 0) {
		report.failure = fmt.Sprintf("the documented hole: %d states, expected some: %v", e.holes, want)
	}
	if failure != "" {
		report.replay = encodeChoices(choices)
		report.story = replay(e.simCase, e.flavour, choices)
	}
	return report
}

// schedules counts the ways through the graph of states.
func (e *explorer) schedules() float64 {
	if len(e.next) == 0 {
		return 1
	}
	const onPath, unknown = -2, -1
	count := make([]float64, len(e.next))
	for i := range count {
		count[i] = unknown
	}
	type frame struct{ state, next int }
	stack := []frame{{0, 0}}
	count[0] = onPath
	sums := map[int]float64{}
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		if top.next < len(e.next[top.state]) {
			to := e.next[top.state][top.next]
			top.next++
			switch count[to] {
			case onPath:
			case unknown:
				count[to] = onPath
				stack = append(stack, frame{to, 0})
			default:
				sums[top.state] += count[to]
			}
			continue
		}
		done := top.state
		count[done] = max(1, sums[done])
		delete(sums, done)
		stack = stack[:len(stack)-1]
		if len(stack) > 0 {
			sums[stack[len(stack)-1].state] += count[done]
		}
	}
	return count[0]
}

const choiceDigits = "0123456789abcdefghijklmnopqrstuvwxyz"

func encodeChoices(choices []uint8) string {
	var text strings.Builder
	for _, c := range choices {
		text.WriteByte(choiceDigits[c])
	}
	return strings.TrimRight(text.String(), "0")
}

func decodeChoices(text string) (choices []uint8) {
	for _, c := range text {
		choices = append(choices, uint8(strings.IndexRune(choiceDigits, c)))
	}
	return choices
}

// replay plays one schedule and returns what happened, line by line. After the
// last choice the tracker goes first.
func replay(c simCase, flavour simFlavour, choices []uint8) []string {
	at, quiet := 0, 0
	var r *simRun
	r = newSimRun(c, flavour, func(_ int, isQuiet bool) int {
		if at < len(choices) {
			at++
			return int(choices[at-1])
		}
		if isQuiet {
			if quiet++; quiet > 20 {
				r.finish()
			}
		}
		return 0
	})
	var story []string
	r.kernel.story = func(format string, args ...any) { story = append(story, fmt.Sprintf(format, args...)) }
	if failure := r.run(); failure != "" {
		story = append(story, "=> "+failure)
	}
	return story
}
