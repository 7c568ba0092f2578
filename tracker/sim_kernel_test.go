package tracker

import (
	"errors"
	"slices"
	"time"
)

// simKernel is a kernel in memory that obeys xnu-facts.md, or the rules of the
// Linux proc connector. Nothing in it happens by itself: its scheduler says
// before each system call of the tracker, and before each row of a read is
// filled, which processes move on first.
type simKernel struct {
	flavour   Forks
	lineage   bool // it says who made an orphan
	lastPID   int  // the PID given out last
	maxPID    int  // PIDs wrap here, to 2
	births    StartTime
	procs     []*simProc // in the table, newest first
	everybody []*simProc // also those that are gone
	knotes    []*simKnote
	events    []simEvent // of the connector, not yet taken
	overflow  int        // events that fit; 0 is no limit
	faults    int        // reads that may still fail
	refusals  int        // watches that may still be refused
	fail      func(left *int) bool
	belongs   func(*simProc) bool // the tracker was shown that it does

	// schedule is called at each point where others can get ahead of the
	// tracker, and returns when the tracker may go on. Patience is how long
	// the call waits for something to happen: zero for most.
	schedule func(patience time.Duration)
	story    func(format string, args ...any)
	now      time.Time

	// Where the tracker is: how far in its step, in which call, about whom.
	stage   byte
	kind    byte
	about   int
	patient bool
	rows    []Process  // of the read under way: filled
	todo    []*simProc // and not yet filled
}

// A simFlavour is a kind of kernel.
type simFlavour struct {
	forks   Forks
	lineage bool
}

var simFlavours = []simFlavour{{ForksAnnounced, false}, {ForksAnnounced, true}, {ForksNamed, false}, {ForksUnseen, false}}

func (f simFlavour) String() string {
	if f.lineage {
		return f.forks.String() + " and lineage is kept"
	}
	return f.forks.String()
}

// A simKnote watches one process, or what is left of it.
type simKnote struct {
	proc    *simProc
	pid     int
	start   StartTime // of the process that is watched
	pending Events
	gone    bool // its exit was delivered: dropped
}

// A simEvent is one message of the connector.
type simEvent struct {
	Notice
	lost bool
}

// stageRead is the stage of a step from its read on.
const stageRead = 100

var (
	errSimFault   = errors.New("no memory for the table")
	errSimRefused = errors.New("no permission to watch")
)

func newSimKernel(flavour simFlavour, maxPID int) *simKernel {
	return &simKernel{flavour: flavour.forks, lineage: flavour.lineage, lastPID: 1, maxPID: maxPID,
		now: time.Unix(1_000_000, 0), story: func(string, ...any) {}}
}

// spawn puts a process into the table.
func (k *simKernel) spawn(parent *simProc, program []simOp) *simProc {
	k.births++
	p := &simProc{kernel: k, start: k.births, program: program, state: simRunning}
	p.pid, _ = k.freePID()
	k.lastPID = p.pid
	p.pgid, p.sid, p.lease = p.pid, p.pid, false
	if parent != nil {
		p.parent, p.mother, p.maker = parent, parent, parent.start
		p.pgid, p.sid, p.lease, p.member = parent.pgid, parent.sid, parent.lease, parent.member
	}
	k.procs = slices.Insert(k.procs, 0, p)
	k.everybody = append(k.everybody, p)
	return p
}

// freePID returns the next PID that is neither a process's, zombies included,
// nor the id of a group or session that anybody is in (forkproc; xnu-facts 5.4).
// There may be none.
func (k *simKernel) freePID() (pid int, ok bool) {
	pid = k.lastPID
	for range k.maxPID {
		if pid++; pid > k.maxPID {
			pid = 2
		}
		used := slices.ContainsFunc(k.procs, func(p *simProc) bool {
			return p.pid == pid || p.pgid == pid || p.sid == pid
		})
		if !used {
			return pid, true
		}
	}
	return 0, false
}

// find is proc_find: it does not find the dead, and XNU's not the exiting.
func (k *simKernel) find(pid int) *simProc {
	for _, p := range k.procs {
		if p.pid == pid && p.state != simZombie && (p.state != simExiting || k.flavour != ForksAnnounced) {
			return p
		}
	}
	return nil
}

// post marks an event for all knotes of a process, or queues it for the
// connector. Events merge in a knote until they are taken.
func (k *simKernel) post(p *simProc, e Events, child *simProc) {
	if k.flavour == ForksNamed {
		n := Notice{PID: p.pid, Events: e}
		n.found.Start = p.start
		if child != nil {
			n.Child, n.found.Start = child.pid, child.start
		}
		if k.overflow > 0 && len(k.events) >= k.overflow {
			if last := len(k.events) - 1; !k.events[last].lost {
				k.events = append(k.events, simEvent{Notice{Lost: true}, true})
			}
			return
		}
		k.events = append(k.events, simEvent{n, false})
		return
	}
	if k.flavour == ForksUnseen && e != Exited {
		return
	}
	for _, kn := range k.knotes {
		if kn.proc == p && !kn.gone {
			kn.pending |= e
		}
	}
}

// reap takes a process out of the table for good. XNU posts NOTE_REAP then, which
// whoever was told of the exit does not wait for any more (xnu-facts 1.7).
func (k *simKernel) reap(p *simProc) {
	if k.flavour == ForksAnnounced {
		k.post(p, Exited, nil)
	}
	p.state = simGone
	k.procs = slices.DeleteFunc(k.procs, func(o *simProc) bool { return o == p })
}

// The tracker's side.

func (k *simKernel) forks() Forks { return k.flavour }
func (k *simKernel) inherit()     {}

func (k *simKernel) capabilities() Capabilities { return capabilitiesOf(k.flavour, k.lineage) }

func (k *simKernel) wake()        {}
func (k *simKernel) close() error { return nil }

// call is a system call about to be made, about a PID or none.
func (k *simKernel) call(kind byte, pid int, patience time.Duration) {
	k.kind, k.about, k.patient = kind, pid, patience != 0
	k.schedule(patience)
}

func (k *simKernel) add(pid int) error {
	k.call('a', pid, 0)
	k.drop(pid)
	p := k.find(pid)
	if zombie := k.latest(pid); p == nil && k.flavour == ForksUnseen && zombie != nil && zombie.state == simZombie {
		k.story("tracker: watch %d (%s), a zombie", pid, zombie)
		k.knotes = append(k.knotes, &simKnote{proc: zombie, pid: pid, start: zombie.start, pending: Exited})
		return nil
	}
	if p == nil {
		k.story("tracker: watch %d: no such process", pid)
		return ErrGone
	}
	if k.fail(&k.refusals) {
		k.story("tracker: watch %d (%s): refused", pid, p)
		return errSimRefused
	}
	k.story("tracker: watch %d (%s)", pid, p)
	k.knotes = append(k.knotes, &simKnote{proc: p, pid: pid, start: p.start})
	return nil
}

func (k *simKernel) remove(pid int) {
	k.drop(pid)
}

func (k *simKernel) drop(pid int) {
	k.knotes = slices.DeleteFunc(k.knotes, func(kn *simKnote) bool { return kn.pid == pid })
}

func (k *simKernel) lookup(pid int) (Process, error) {
	k.call('l', pid, 0)
	for _, p := range k.procs {
		if p.pid == pid && p.listed() {
			return p.lineageRow(), nil
		}
	}
	return Process{}, ErrGone
}

func (k *simKernel) next(notices []Notice, timeout time.Duration) ([]Notice, error) {
	k.call('n', 0, timeout)
	notices = k.take(notices)
	for _, n := range notices {
		k.story("tracker: notice %d %s", n.PID, n.Events)
	}
	if len(notices) == 0 {
		k.stage++ // a drain has ended
		k.now = k.now.Add(max(0, timeout))
	}
	return notices, nil
}

func (k *simKernel) pending() bool {
	return len(k.events) > 0 || slices.ContainsFunc(k.knotes, func(kn *simKnote) bool { return kn.pending != 0 })
}

func (k *simKernel) take(notices []Notice) []Notice {
	for _, e := range k.events {
		if n := e.Notice; k.watchedByName(n) {
			n.found = k.found(n)
			if m := k.latest(n.Child); m != nil && n.Events.Has(Forked) {
				m.named = true
			}
			notices = append(notices, n)
		}
	}
	k.events = nil
	for _, kn := range k.knotes {
		if kn.pending == 0 {
			continue
		}
		notices = append(notices, Notice{PID: kn.pid, Events: kn.pending})
		kn.gone = kn.pending.Has(Exited) // one-shot
		kn.pending = 0
	}
	k.knotes = slices.DeleteFunc(k.knotes, func(kn *simKnote) bool { return kn.gone })
	return notices
}

// found is the process that a notice names, when it is taken. It may be gone;
// somebody else who has its PID by now is known by being younger.
func (k *simKernel) found(n Notice) Process {
	pid := n.PID
	if n.Events.Has(Forked) {
		pid = n.Child
	}
	for _, p := range k.procs {
		if p.pid == pid && n.found.Start == p.start {
			row := p.row()
			row.State = Running
			return row
		}
	}
	return Process{Identity: Identity{PID: pid, Boot: "sim"}}
}

// watchedByName does what connectorSource does: it passes on what is about a
// watched process, whose children are watched too.
func (k *simKernel) watchedByName(n Notice) bool {
	if n.Lost {
		return true
	}
	i := slices.IndexFunc(k.knotes, func(kn *simKnote) bool { return kn.pid == n.PID })
	if i < 0 {
		return false
	}
	if n.Events.Has(Forked) {
		k.knotes = append(k.knotes, &simKnote{pid: n.Child, start: n.found.Start})
	}
	if n.Events.Has(Exited) {
		if k.knotes[i].start != n.found.Start {
			return false // of an earlier process with this PID
		}
		k.knotes = slices.Delete(k.knotes, i, i+1)
	}
	return true
}

// read lists the PIDs at one moment and fills in the rows one by one later
// (xnu-facts 4.3).
func (k *simKernel) read(rows []Process) ([]Process, error) {
	k.stage = stageRead
	k.call('R', 0, 0)
	k.rows = rows
	k.todo = k.todo[:0]
	for _, zombies := range []bool{false, true} {
		for _, p := range k.procs {
			if (p.state == simExiting || p.state == simZombie) == zombies {
				k.todo = append(k.todo, p)
			}
		}
	}
	k.story("tracker: read lists %v", k.todo)
	var shown []*simProc
	for len(k.todo) > 0 {
		k.call('f', 0, 0)
		p := k.todo[0]
		k.todo = k.todo[1:]
		if !p.listed() {
			continue
		}
		row := p.lineageRow()
		k.rows = append(k.rows, row)
		shown = append(shown, p)
		k.story("tracker: row %s: parent %d group %d session %d %s", p, row.Parent, row.Group, row.Session, row.State)
	}
	rows, k.rows = k.rows, nil
	if k.fail(&k.faults) {
		k.story("tracker: the read fails")
		return rows[:0], errSimFault
	}
	k.show(shown, rows[len(rows)-len(shown):])
	return rows, nil
}

// show remembers what a read showed the tracker: a row with the parent that made
// a process counts if that one was known to belong when the row was.
func (k *simKernel) show(procs []*simProc, rows []Process) {
	for i, p := range procs {
		p.show(rows[i])
	}
	for again := true; again; {
		again = false
		for i, p := range procs {
			if !p.underMother && p.mother != nil && rows[i].Parent == p.mother.pid && k.belongs(p.mother) {
				p.underMother, again = true, true
			}
		}
	}
}

// born returns the process with a start time, which no other has.
func (k *simKernel) born(at StartTime) *simProc {
	for _, p := range k.everybody {
		if p.start == at {
			return p
		}
	}
	return nil
}

// latest returns the last process that had a PID.
func (k *simKernel) latest(pid int) *simProc {
	for _, p := range slices.Backward(k.everybody) {
		if p.pid == pid {
			return p
		}
	}
	return nil
}
