package tracker

import (
	"slices"

	"github.com/gemini-monitor/gemini/tracker/process"
)

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
		k.post(p, process.Execed, nil)
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
	p.kernel.post(p, process.Forked, p.child)
	p.child.state = simRunning
	if op.what == opSpawnBad {
		// It dies without having run, reaped by the kernel (xnu-facts R14).
		p.kernel.post(p.child, process.Exited, nil)
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
	case k.flavour != process.ForksAnnounced:
		// Linux does all this under one lock (exit_notify), and the connector
		// speaks after it, perhaps when the dead one is reaped already.
		for p.hasChildren() {
			p.orphanOne()
		}
		p.end()
		p.owes = k.flavour == process.ForksNamed
		if !p.owes {
			k.post(p, process.Exited, nil)
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
	p.kernel.post(p, process.Exited, nil)
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
