package tracker

import (
	"slices"
	"time"
)

// A simWorld is the simulated kernel as a world: each thing is done from
// beginning to end before anything else happens. So the facts that the tracker
// relies on hold in the simulation as they do in the kernels it stands for.
type simWorld struct {
	kernel *simKernel
	outer  *simProc
}

var _ world = (*simWorld)(nil)

var _ = func() bool {
	for _, flavour := range simFlavours {
		conformance("the simulated kernel where forks are "+flavour.String(), func() world { return newSimWorld(flavour) })
	}
	return true
}()

func newSimWorld(flavour simFlavour) *simWorld {
	k := newSimKernel(flavour, 1000)
	k.schedule = func(time.Duration) {}
	k.fail = func(*int) bool { return false }
	k.belongs = func(*simProc) bool { return false }
	return &simWorld{k, k.spawn(nil, nil)}
}

func (w *simWorld) open() kernel { return w.kernel }

func (w *simWorld) process(pid int) *simProc {
	if pid == 0 {
		return w.outer
	}
	return w.kernel.latest(pid)
}

// do has a process do one thing, up to its end.
func (w *simWorld) do(p *simProc, op simOp) {
	p.program = append(slices.Clone(p.program[:p.at]), op, stay)
	for at := p.at; p.at == at && (p.state == simRunning || p.state == simExiting) || p.owes; {
		p.step()
	}
}

func (w *simWorld) spawn(parent int) int {
	w.do(w.process(parent), fork("", stay))
	return w.kernel.everybody[len(w.kernel.everybody)-1].pid
}

func (w *simWorld) exit(pid int) { w.do(w.process(pid), op(opExit)) }

func (w *simWorld) reap(parent, child int) {
	p := w.process(child)
	if p.parent != w.process(parent) || p.state != simZombie {
		panic("nothing to wait for")
	}
	w.kernel.reap(p)
}

func (w *simWorld) setsid(pid int)  { w.do(w.process(pid), op(opSetsid)) }
func (w *simWorld) setpgid(pid int) { w.do(w.process(pid), op(opSetpgid)) }
func (w *simWorld) exec(pid int)    { w.do(w.process(pid), op(opExec)) }

func (w *simWorld) meanwhile(what func()) (wait func()) {
	what()
	return func() {}
}

func (w *simWorld) reuse(pid int) (exit func(), err error) {
	w.kernel.lastPID = pid - 1
	if free, _ := w.kernel.freePID(); free != pid {
		return nil, nil
	}
	w.spawn(0)
	return func() {
		w.exit(pid)
		w.reap(0, pid)
	}, nil
}
