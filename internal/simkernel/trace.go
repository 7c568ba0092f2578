package simkernel

import "github.com/gemini-monitor/gemini/tracker/process"

// What XNU does to a process that is traced (docs/xnu.md X7): the debugger is its
// parent for the time being, and its exit is announced to the debugger alone.
// Linux keeps parents and notices as they are.

// attach has a debugger trace the process with a name, if it is alive and
// not traced.
func (k *Kernel) attach(debugger *Process, name string) {
	for _, p := range k.Listed {
		if p.name != name || p.state != Running || p.Real != 0 || k.Flavour != process.ForksAnnounced {
			continue
		}
		if p.Real = 1; p.parent != nil {
			p.Real = p.parent.PID
		}
		p.parent = debugger
		k.Story("%s traces %s", debugger, p)
	}
}

// detach gives all that a debugger traces back to their parents.
func (k *Kernel) detach(debugger *Process) {
	for _, p := range k.Listed {
		if p.parent == debugger && p.Real != 0 && p.state == Running {
			k.giveBack(p)
		}
	}
}

// abandon kills a traced process whose debugger dies (docs/xnu.md R13).
func (k *Kernel) abandon(p *Process) {
	k.giveBack(p)
	if p.state == Running || p.state == Newborn {
		end := p.at
		if p.phase > 0 {
			end++ // the fork under way is finished first
		}
		p.program = p.program[:min(end, len(p.program))]
		k.Story("%s is killed", p)
	}
}

// giveBack ends the tracing of a process. Its parent is then the process that has the
// PID of its real parent now, which may be another one, or init.
func (k *Kernel) giveBack(p *Process) {
	p.parent = k.find(p.Real)
	p.Real, p.orphan = 0, p.parent == nil
	k.Story("%s is traced no more", p)
}

// reapChild takes a zombie out of the table. A traced zombie, which its debugger waited
// for, goes back to its real parent, which has to wait for it too.
func (k *Kernel) reapChild(z *Process) {
	if z.Real == 0 {
		k.reap(z)
		return
	}
	parent := k.find(z.Real)
	z.Real = 0
	if parent == nil {
		k.reap(z)
		return
	}
	z.parent = parent
	k.post(z, process.Exited, nil) // again, to all knotes now
	k.Story("%s goes back to %s", z, parent)
}
