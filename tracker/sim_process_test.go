package tracker

import (
	"fmt"
	"slices"
)

// A simProc is a process of the simulated kernel: a list of things to do, one
// small step after the other.
type simProc struct {
	kernel      *simKernel
	name        string
	pid         int
	start       StartTime
	parent      *simProc  // nil stands for init; a debugger while one traces it
	real        int       // the PID of its parent while a debugger traces it, or 0
	mother      *simProc  // who made it
	maker       StartTime // who made it, as the kernel tells; start times are never used again
	lineageSeen StartTime // what the tracker was told of that first; 0 is nothing yet
	pgid        int
	sid         int
	state       simState
	program     []simOp
	at          int      // the next of the program
	phase       int      // how far the present one is
	member      bool     // it belongs to the tree: the truth
	lease       bool     // it holds the lease
	noWait      bool     // its children are reaped by the kernel
	orphan      bool     // re-parented: the kernel reaps it
	child       *simProc // being made
	owes        bool     // the notice of its exit, though it is dead

	// What the tracker was shown of it, for the exploration's own opinion.
	underMother  bool  // a row with the parent that made it
	ids          []int // the groups and sessions of its rows as an orphan
	named        bool  // a notice of its birth
	lineageShown bool  // a row as an orphan, with who made it
}

// initStart stands for init as a maker.
const initStart = -1

// show remembers the group and session of a row that the tracker was shown.
func (p *simProc) show(row Process) {
	if row.Parent == 1 {
		p.lineageShown = p.lineageShown || row.lineage.parent != 0
	}
	for _, id := range []int{row.Group, row.Session} {
		if row.Parent == 1 && id != 0 && id != p.pid && !slices.Contains(p.ids, id) {
			p.ids = append(p.ids, id)
		}
	}
}

type simState uint8

const (
	simRunning simState = iota
	simNew              // in the table, not allowed to run yet
	simExiting
	simZombie
	simGone
)

// A simOp is one thing that a process does.
type simOp struct {
	what  simWhat
	name  string  // of the child
	child []simOp // what the child does
}

type simWhat uint8

const (
	opExit     simWhat = iota // also at the end of every program
	opFork                    // make a child
	opForkExit                // one thread forks while another exits
	opSpawnBad                // posix_spawn of a program that is not there
	opSetsid
	opSetpgid // a group of its own
	opExec
	opClose     // let the lease go
	opDaemon    // let the lease go and make a session
	opWait      // reap one child; wait for it
	opReap      // have the kernel reap all children (SIGCHLD ignored)
	opStay      // live on
	opJoinGroup // enter the group of the tree's root, from the same session
	opAttach    // begin to trace the process with that name (XNU)
	opDetach    // and leave it alone again
)

func fork(name string, child ...simOp) simOp { return simOp{opFork, name, child} }

func op(what simWhat) simOp { return simOp{what: what} }

func attach(name string) simOp { return simOp{what: opAttach, name: name} }

func (p *simProc) String() string { return fmt.Sprintf("%s(%d)", p.name, p.pid) }

func (p *simProc) identity() Identity { return Identity{PID: p.pid, Start: p.start, Boot: "sim"} }

// alive is the oracle: it can still run code of its own or finish a fork.
func (p *simProc) alive() bool {
	switch p.state {
	case simRunning, simNew:
		return true
	case simExiting:
		return p.phase < phaseClosed
	}
	return false
}

// listed tells whether a read finds it. One that the kernel is about to reap
// itself is waited for by the read, and missed (xnu-facts 3.2).
func (p *simProc) listed() bool { return p.state != simGone }

// lineageRow is a row with its lineage: each process is asked for once.
func (p *simProc) lineageRow() Process {
	row := p.row()
	if p.kernel.lineage {
		if p.lineageSeen == 0 {
			p.lineageSeen = p.maker
		}
		row.lineage = lineage{self: uint64(p.start), parent: uint64(p.lineageSeen)}
	}
	return row
}

func (p *simProc) row() Process {
	row := Process{Identity: p.identity(), Parent: 1, Group: p.pgid, Session: p.sid, Command: nameOf([]byte(p.name))}
	if p.parent != nil {
		row.Parent = p.parent.pid
	}
	if p.real != 0 {
		row.Parent, row.Tracer = p.real, p.parent.pid
	}
	switch p.state {
	case simExiting:
		row.State, row.Session = Exiting, 0 // getsid finds only the living
	case simZombie:
		row.State, row.Session = Zombie, 0
	}
	if p.kernel.flavour != ForksAnnounced {
		row.Session = p.sid // /proc says it of all
		if row.State == Exiting {
			row.State = Running // and does not speak of exiting
		}
	}
	return row
}

// The phases of an exit (xnu-facts 3.1).
const (
	phaseBegun    = iota + 1 // cannot be found any more
	phaseForked              // opForkExit: the child is in the table
	phaseAnnounce            // opForkExit: the fork was announced
	phaseClosed              // descriptors closed: no code of its own runs now
	phaseOrphans             // children are given to init, one at a time
	phasePosted              // the exit was announced
)

func (p *simProc) op() simOp {
	if p.at < len(p.program) {
		return p.program[p.at]
	}
	return simOp{what: opExit}
}

// enabled tells whether it can take a step now.
func (p *simProc) enabled() bool {
	if p.owes {
		return true
	}
	what := p.op().what
	forks := what == opFork && p.phase == 0 || what == opSpawnBad && p.phase == 0 || what == opForkExit && p.phase == phaseBegun
	if _, ok := p.kernel.freePID(); forks && !ok {
		return false
	}
	if p.state == simExiting {
		return true
	}
	if p.state != simRunning {
		return false
	}
	switch what {
	case opStay:
		return false
	case opWait:
		return p.zombie() != nil || !p.hasChildren()
	}
	return true
}

func (p *simProc) zombie() *simProc {
	for _, c := range p.kernel.procs {
		if c.parent == p && c.state == simZombie {
			return c
		}
	}
	return nil
}

func (p *simProc) hasChildren() bool {
	return slices.ContainsFunc(p.kernel.procs, func(c *simProc) bool { return c.parent == p })
}

// step does the next small step.
func (p *simProc) step() {
	k := p.kernel
	switch {
	case p.owes:
		p.announceExit()
		return
	case p.state == simExiting:
		p.exitStep()
		return
	}
	op := p.op()
	switch op.what {
	case opExit: // at once so far that it runs no code any more
		k.story("%s begins to exit", p)
		p.state, p.phase, p.lease = simExiting, phaseClosed, false
		return
	case opForkExit:
		k.story("%s begins to exit", p)
		p.state, p.phase = simExiting, phaseBegun
		return
	case opFork, opSpawnBad:
		if p.phase == 0 {
			p.makeChild(op)
			p.phase = 1
			return
		}
		p.announceChild(op)
	case opSetsid:
		p.sid, p.pgid = p.pid, p.pid
		k.story("%s makes a session", p)
	case opSetpgid:
		p.pgid = p.pid
		k.story("%s makes a group", p)
	case opJoinGroup:
		if root := k.everybody[0]; slices.ContainsFunc(k.procs, func(q *simProc) bool { return q.pgid == root.pid && q.sid == p.sid }) {
			p.pgid = root.pid
			k.story("%s joins the group of the root", p)
		}
	case opExec:
		k.story("%s execs", p)
		if p.maker = initStart; p.parent != nil {
			p.maker = p.parent.start // rewritten (xnu-facts 6.2)
		}
		k.post(p, Execed, nil)
	case opClose:
		p.lease = false
		k.story("%s closes its descriptors", p)
	case opDaemon:
		p.sid, p.pgid, p.lease = p.pid, p.pid, false
		k.story("%s makes a session and closes its descriptors", p)
	case opReap:
		p.noWait = true
	case opAttach:
		k.attach(p, op.name)
	case opDetach:
		k.detach(p)
	case opWait:
		if z := p.zombie(); z != nil {
			k.story("%s reaps %s", p, z)
			k.reapChild(z)
		}
	}
	p.at, p.phase = p.at+1, 0
}

func (p *simProc) makeChild(op simOp) {
	p.child = p.kernel.spawn(p, op.child)
	p.child.name, p.child.state = op.name, simNew
	p.kernel.story("%s makes %s", p, p.child)
}

// announceChild posts the fork; only then may the child run (xnu-facts G4).
func (p *simProc) announceChild(op simOp) {
	p.kernel.post(p, Forked, p.child)
	p.child.state = simRunning
	if op.what == opSpawnBad {
		// It dies without having run, reaped by the kernel (xnu-facts R14).
		p.kernel.post(p.child, Exited, nil)
		p.kernel.reap(p.child)
	}
	p.kernel.story("%s: fork of %s is announced", p, p.child)
	p.child = nil
}

// exitStep does the next of what the kernel does at an exit.
func (p *simProc) exitStep() {
	k := p.kernel
	forking := p.op().what == opForkExit
	switch {
	case p.phase == phaseBegun && forking:
		p.makeChild(p.op())
		p.phase = phaseForked
	case p.phase == phaseForked:
		p.announceChild(p.op())
		p.phase = phaseAnnounce
	case p.phase < phaseClosed:
		p.lease, p.phase = false, phaseClosed
		k.story("%s: descriptors are closed", p)
	case k.flavour != ForksAnnounced:
		// Linux does all this under one lock (exit_notify), and the connector
		// speaks after it, perhaps when the dead one is reaped already.
		for p.hasChildren() {
			p.orphanOne()
		}
		p.end()
		p.owes = k.flavour == ForksNamed
		if !p.owes {
			k.post(p, Exited, nil)
		}
	case p.phase == phaseClosed && p.hasChildren():
		p.orphanOne()
	case p.phase == phaseClosed:
		p.announceExit()
		p.phase = phasePosted
	default:
		p.end()
	}
}

func (p *simProc) announceExit() {
	if p.owes = false; p.real != 0 {
		p.kernel.story("%s: exit is announced to the debugger alone", p)
		return
	}
	p.kernel.story("%s: exit is announced", p)
	p.kernel.post(p, Exited, nil)
}

// orphanOne gives one child to init, or reaps it if it is a zombie.
func (p *simProc) orphanOne() {
	for _, c := range p.kernel.procs {
		if c.parent != p {
			continue
		}
		if c.state == simZombie {
			p.kernel.reapChild(c)
			return
		}
		if c.real != 0 {
			p.kernel.abandon(c)
			return
		}
		c.parent, c.orphan = nil, true
		p.kernel.story("%s is an orphan", c)
		return
	}
}

// end makes it a zombie, or nothing where nobody is to wait for it.
func (p *simProc) end() {
	if p.real == 0 && (p.orphan || p.parent == nil || p.parent.noWait) {
		p.kernel.story("%s is gone", p)
		p.kernel.reap(p)
		return
	}
	p.state = simZombie
	p.kernel.story("%s is a zombie", p)
}
