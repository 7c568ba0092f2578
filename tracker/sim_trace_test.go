package tracker

import "github.com/gemini-monitor/gemini/tracker/process"

// What XNU does to a process that is traced (xnu-facts 1.6): the debugger is its
// parent for the time being, and its exit is announced to the debugger alone.
// Linux keeps parents and notices as they are.

// attach has a debugger trace the process with a name, if it is alive and
// nobody does.
func (k *simKernel) attach(debugger *simProc, name string) {
	for _, p := range k.procs {
		if p.name != name || p.state != simRunning || p.real != 0 || k.flavour != process.ForksAnnounced {
			continue
		}
		if p.real = 1; p.parent != nil {
			p.real = p.parent.pid
		}
		p.parent = debugger
		k.story("%s traces %s", debugger, p)
	}
}

// detach gives all that a debugger traces back to their parents.
func (k *simKernel) detach(debugger *simProc) {
	for _, p := range k.procs {
		if p.parent == debugger && p.real != 0 && p.state == simRunning {
			k.giveBack(p)
		}
	}
}

// abandon is what becomes of a traced process whose debugger dies: it is killed.
func (k *simKernel) abandon(p *simProc) {
	k.giveBack(p)
	if p.state == simRunning || p.state == simNew {
		end := p.at
		if p.phase > 0 {
			end++ // the fork under way is finished first
		}
		p.program = p.program[:min(end, len(p.program))]
		k.story("%s is killed", p)
	}
}

// giveBack makes the process with the PID of the parent of before the parent
// again, whoever that is by now, or init.
func (k *simKernel) giveBack(p *simProc) {
	p.parent = k.find(p.real)
	p.real, p.orphan = 0, p.parent == nil
	k.story("%s is traced no more", p)
}

// reapChild takes a zombie out of the table, unless its debugger waited for it:
// then the parent of before gets to know, and has to wait for it too.
func (k *simKernel) reapChild(z *simProc) {
	if z.real == 0 {
		k.reap(z)
		return
	}
	parent := k.find(z.real)
	z.real = 0
	if parent == nil {
		k.reap(z)
		return
	}
	z.parent = parent
	k.post(z, process.Exited, nil) // again, to everybody now
	k.story("%s goes back to %s", z, parent)
}
