package simkernel

import (
	"slices"
	"time"

	"github.com/gemini-monitor/gemini/internal/core"
)

// A World is the simulated kernel as a world: each thing is done from
// beginning to end before anything else happens. So the facts that the tracker
// relies on hold in the simulation as they do in the kernels it stands for.
type World struct {
	kernel *Kernel
	outer  *Process
}

// NewWorld returns a world of one process, which belongs to no tree.
func NewWorld(flavour Flavour) *World {
	k := New(flavour, 1000)
	k.Schedule = func(time.Duration) {}
	k.Fail = func(*int) bool { return false }
	k.Belongs = func(*Process) bool { return false }
	outer := k.spawn(nil, nil)
	outer.marks = []string{simMark}
	return &World{k, outer}
}

const simMark = "mark"

// Mark implements [conformance.World].
func (w *World) Mark() string { return simMark }

// Open implements [conformance.World].
func (w *World) Open() core.Kernel { return w.kernel }

func (w *World) process(pid int) *Process {
	if pid == 0 {
		return w.outer
	}
	return w.kernel.latest(pid)
}

// do has a process do one thing, up to its end.
func (w *World) do(p *Process, op Op) {
	p.program = append(slices.Clone(p.program[:p.at]), op, Stay)
	for at := p.at; p.at == at && (p.state == Running || p.state == Exiting) || p.owes; {
		p.Step()
	}
}

// Spawn implements [conformance.World].
func (w *World) Spawn(parent int) int {
	w.do(w.process(parent), Fork("", Stay))
	return w.kernel.All[len(w.kernel.All)-1].PID
}

// Exit implements [conformance.World].
func (w *World) Exit(pid int) { w.do(w.process(pid), Do(OpExit)) }

// Reap implements [conformance.World].
func (w *World) Reap(parent, child int) {
	p := w.process(child)
	if p.parent != w.process(parent) || p.state != Zombie {
		panic("nothing to wait for")
	}
	w.kernel.reap(p)
}

// Setsid implements [conformance.World].
func (w *World) Setsid(pid int) { w.do(w.process(pid), Do(OpSetsid)) }

// Setpgid implements [conformance.World].
func (w *World) Setpgid(pid int) { w.do(w.process(pid), Do(OpSetpgid)) }

// Exec implements [conformance.World].
func (w *World) Exec(pid int) { w.do(w.process(pid), Do(OpExec)) }

// Meanwhile implements [conformance.World].
func (w *World) Meanwhile(what func()) (wait func()) {
	what()
	return func() {}
}

// Reuse implements [conformance.World].
func (w *World) Reuse(pid int) (exit func(), err error) {
	w.kernel.lastPID = pid - 1
	if free, _ := w.kernel.freePID(); free != pid {
		return nil, nil
	}
	w.Spawn(0)
	return func() {
		w.Exit(pid)
		w.Reap(0, pid)
	}, nil
}
