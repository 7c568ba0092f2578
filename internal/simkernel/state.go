package simkernel

import (
	"slices"

	"github.com/gemini-monitor/gemini/internal/core"
)

// AppendState appends all that the future of the kernel depends on. Times are left
// out: they decide when, not what.
func (k *Kernel) AppendState(text []byte) []byte {
	s := core.StateWriter{Text: text}
	for _, p := range k.All {
		if p.state == Gone && !p.Member && !p.Neighbour && !p.owes && !p.Asks {
			continue
		}
		parent := 0
		if p.parent != nil {
			parent = p.parent.PID
		}
		s.Numbers(p.PID, int(p.start), parent, p.pgid, p.sid, int(p.state), p.at, p.phase, int(p.maker), int(p.lineageSeen), p.Real)
		s.Flags(p.Member, p.Lease, p.noWait, p.orphan, p.owes, p.underMother, p.named, p.lineageShown)
		s.Flags(p.secret, p.Neighbour, p.known, k.lives > 0 && k.Remembers && p.rowSeen, p.Guest, p.Asks, p.Considered)
		if k.Marked {
			s.Numbers(len(p.marks), int(p.programs))
			s.Flags(p.withholds, p.markShown, p.marked())
		}
		s.Numbers(p.ids...)
		s.End()
	}
	for _, p := range k.Listed { // their order
		s.Numbers(p.PID)
	}
	s.End()
	for _, kn := range k.knotes {
		s.Numbers(kn.pid, int(kn.start), int(kn.pending))
	}
	s.End()
	for _, e := range k.events {
		s.Numbers(e.PID, int(e.Events), e.Child, int(e.Found.Start))
		s.Flags(e.lost)
	}
	s.Numbers(k.lastPID, k.Faults, k.Refusals, k.Drops, len(k.todo))
	for _, p := range k.todo {
		s.Numbers(int(p.start))
	}
	s.Flags(k.hid, k.deaf, k.begins)
	for _, row := range k.lookups {
		s.Row(row)
	}
	s.Numbers(len(k.parents)) // the order is that of the rows
	for _, row := range k.rows {
		s.Row(row)
	}
	s.Text = append(s.Text, k.Stage, k.kind, byte(k.about))
	s.Flags(k.patient)
	return s.Text
}

// Clone copies the kernel, between two steps of the tracker, or in the middle of one of
// its system calls. In the middle, only steps of processes go on in the copy.
func (k *Kernel) Clone() *Kernel {
	n := *k
	people := make([]Process, len(k.All))
	for i, p := range k.All {
		people[i] = *p
		q := &people[i]
		q.kernel, q.ids = &n, slices.Clip(p.ids)
		q.parent, q.mother, q.child = p.parent.in(people), p.mother.in(people), p.child.in(people)
	}
	lists := make([]*Process, 0, len(k.Listed)+2*len(k.All)+len(k.todo)+len(k.parents))
	each := func(old []*Process) []*Process {
		begin := len(lists)
		for _, p := range old {
			lists = append(lists, p.in(people))
		}
		return slices.Clip(lists[begin:])
	}
	n.Listed, n.All, n.todo, n.parents = each(k.Listed), each(k.All), each(k.todo), each(k.parents)
	n.rows, n.events, n.lookups = slices.Clip(k.rows), slices.Clip(k.events), slices.Clip(k.lookups)
	knotes := make([]knote, len(k.knotes))
	n.knotes = make([]*knote, len(k.knotes))
	for i, kn := range k.knotes {
		knotes[i] = *kn
		knotes[i].proc = kn.proc.in(people)
		n.knotes[i] = &knotes[i]
	}
	return &n
}

// in returns the copy of the process in a copy of All, or nil for none.
func (p *Process) in(people []Process) *Process {
	if p == nil {
		return nil
	}
	return &people[p.index]
}
