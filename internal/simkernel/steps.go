package simkernel

import (
	"slices"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// The phases of an exit (docs/xnu.md X15).
const (
	phaseBegun    = iota + 1 // cannot be found any more
	phaseForked              // OpForkExit: the child is in the table
	phaseAnnounce            // OpForkExit: the fork was announced
	phaseClosed              // descriptors closed: no code of its own runs now
	phaseOrphans             // children are given to init, one at a time
	phasePosted              // the exit was announced
)

func (p *Process) op() Op {
	if p.at < len(p.program) {
		return p.program[p.at]
	}
	return Op{Verb: OpExit}
}

// Enabled reports whether it can take a step now.
func (p *Process) Enabled() bool {
	if p.owes {
		return true
	}
	what := p.op().Verb
	forks := what == OpFork && p.phase == 0 || what == OpSpawnBad && p.phase == 0 || what == OpForkExit && p.phase == phaseBegun
	if forks {
		if _, ok := p.kernel.freePID(); !ok {
			return false
		}
	}
	if p.state == Exiting {
		return true
	}
	if p.state != Running {
		return false
	}
	switch what {
	case OpStay:
		return false
	case OpWait:
		return p.zombie() != nil || !p.hasChildren()
	}
	return true
}

// Waits reports whether it waits until the tracker has begun.
func (p *Process) Waits() bool { return p.state == Running && p.op().Verb == OpFollowed }

func (p *Process) zombie() *Process {
	for _, c := range p.kernel.Listed {
		if c.parent == p && c.state == Zombie {
			return c
		}
	}
	return nil
}

func (p *Process) hasChildren() bool {
	return slices.ContainsFunc(p.kernel.Listed, func(c *Process) bool { return c.parent == p })
}

// Step does the next small step.
func (p *Process) Step() {
	k := p.kernel
	switch {
	case p.owes:
		p.announceExit()
		return
	case p.state == Exiting:
		p.exitStep()
		return
	}
	switch op := p.op(); op.Verb {
	case OpExit: // at once so far that it runs no code any more
		k.Story("%s begins to exit", p)
		p.state, p.phase, p.Lease = Exiting, phaseClosed, false
		return
	case OpForkExit:
		k.Story("%s begins to exit", p)
		p.state, p.phase = Exiting, phaseBegun
		return
	case OpFork, OpSpawnBad:
		if p.phase == 0 {
			p.makeChild(op)
			p.phase = 1
			return
		}
		p.announceChild(op)
	case OpReplace:
		if p.phase == 0 {
			k.Story("%s begins to exec", p)
			p.phase = 1
			return
		}
		p.perform(op)
	default:
		p.perform(op)
	}
	p.at, p.phase = p.at+1, 0
}

// After returns a copy of the kernel in which the process has taken its next step.
func (p *Process) After() *Kernel {
	n := p.kernel.Clone()
	n.All[p.index].Step()
	return n
}

// perform does an Op that takes one step.
func (p *Process) perform(op Op) {
	k := p.kernel
	switch op.Verb {
	case OpSetsid:
		p.sid, p.pgid = p.PID, p.PID
		k.Story("%s makes a session", p)
	case OpSetpgid:
		p.pgid = p.PID
		k.Story("%s makes a group", p)
	case OpJoinGroup:
		if root := k.All[0]; slices.ContainsFunc(k.Listed, func(q *Process) bool { return q.pgid == root.PID && q.sid == p.sid }) {
			p.pgid = root.PID
			k.Story("%s joins the group of the root", p)
		}
	case OpExec, OpReplace:
		k.Story("%s execs", p)
		p.exec()
	case OpForge:
		k.Story("%s execs with a mark of no tree", p)
		p.marks = []string{forgedMark}
		p.exec()
	case OpScrub:
		k.Story("%s execs without an environment", p)
		p.marks, p.withholds = nil, false
		p.exec()
	case OpOverwrite:
		k.Story("%s overwrites its environment", p)
		p.marks = nil
	case OpWithhold, OpReveal:
		p.withholds = op.Verb == OpWithhold
		k.Story("%s execs, and its environment may be read: %v", p, !p.withholds)
		p.programs++
		p.exec()
	case OpSetuid:
		p.secret = true
		k.Story("%s becomes another user's", p)
		k.post(p, process.Execed, nil)
	case OpClose:
		p.Lease = false
		k.Story("%s closes its descriptors", p)
	case OpDaemon:
		p.sid, p.pgid, p.Lease = p.PID, p.PID, false
		k.Story("%s makes a session and closes its descriptors", p)
	case OpAsk:
		p.Guest, p.Asks, p.Lease = true, true, true
		k.Story("%s asks to join the tree", p)
	case OpReap:
		p.noWait = true
	case OpFollowed:
		k.Story("%s goes on: its tree has begun", p)
	case OpAttach:
		k.attach(p, op.Name)
	case OpDetach:
		k.detach(p)
	case OpWait:
		if z := p.zombie(); z != nil {
			k.Story("%s reaps %s", p, z)
			k.reapChild(z)
		}
	}
}

// exec is what the kernel does at an exec.
func (p *Process) exec() {
	if p.maker = initStart; p.parent != nil {
		p.maker = p.parent.start // rewritten (docs/xnu.md X28)
	}
	p.kernel.post(p, process.Execed, nil)
}

func (p *Process) makeChild(op Op) {
	p.child = p.kernel.spawn(p, op.Child)
	p.child.name, p.child.state = op.Name, Newborn
	p.kernel.Story("%s makes %s", p, p.child)
}

// announceChild posts the fork; only then may the child run (docs/xnu.md G4).
func (p *Process) announceChild(op Op) {
	p.kernel.post(p, process.Forked, p.child)
	p.child.state = Running
	if op.Verb == OpSpawnBad {
		// It dies without having run, reaped by the kernel (docs/xnu.md R14).
		p.kernel.post(p.child, process.Exited, nil)
		p.kernel.reap(p.child)
	}
	p.kernel.Story("%s: fork of %s is announced", p, p.child)
	p.child = nil
}

// exitStep does the next of what the kernel does at an exit.
func (p *Process) exitStep() {
	k := p.kernel
	forking := p.op().Verb == OpForkExit
	switch {
	case p.phase == phaseBegun && forking:
		p.makeChild(p.op())
		p.phase = phaseForked
	case p.phase == phaseForked:
		p.announceChild(p.op())
		p.phase = phaseAnnounce
	case p.phase < phaseClosed:
		p.Lease, p.phase = false, phaseClosed
		k.Story("%s: descriptors are closed", p)
	case k.Flavour != process.ForksAnnounced:
		// Linux does all this under one lock (exit_notify), and the connector
		// reports the exit after it, perhaps when the dead process is reaped already.
		for p.hasChildren() {
			p.orphanOne()
		}
		p.end()
		p.owes = k.Flavour == process.ForksNamed
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

func (p *Process) announceExit() {
	if p.owes = false; p.Real != 0 {
		p.kernel.Story("%s: exit is announced to the debugger alone", p)
		return
	}
	p.kernel.Story("%s: exit is announced", p)
	p.kernel.post(p, process.Exited, nil)
}

// orphanOne gives one child to init, or reaps it if it is a zombie.
func (p *Process) orphanOne() {
	for _, c := range p.kernel.Listed {
		if c.parent != p {
			continue
		}
		if c.state == Zombie {
			p.kernel.reapChild(c)
			return
		}
		if c.Real != 0 {
			p.kernel.abandon(c)
			return
		}
		c.parent, c.orphan = nil, true
		p.kernel.Story("%s is an orphan", c)
		return
	}
}

// end makes the process a zombie. Where no process is to wait for it, end reaps it.
func (p *Process) end() {
	if p.Real == 0 && (p.orphan || p.parent == nil || p.parent.noWait) {
		p.kernel.Story("%s is gone", p)
		p.kernel.reap(p)
		return
	}
	p.state = Zombie
	p.kernel.Story("%s is a zombie", p)
}
