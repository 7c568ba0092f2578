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
		if p.state == Gone && !p.Member && !p.owes {
			continue
		}
		parent := 0
		if p.parent != nil {
			parent = p.parent.PID
		}
		s.Numbers(p.PID, int(p.start), parent, p.pgid, p.sid, int(p.state), p.at, p.phase, int(p.maker), int(p.lineageSeen), p.Real)
		s.Flags(p.Member, p.Lease, p.noWait, p.orphan, p.owes, p.underMother, p.named, p.lineageShown)
		s.Flags(p.secret)
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
	s.Flags(k.hid)
	s.Numbers(len(k.parents)) // the order is that of the rows
	for _, row := range k.rows {
		s.Row(row)
	}
	s.Text = append(s.Text, k.Stage, k.kind, byte(k.about))
	s.Flags(k.patient)
	return s.Text
}

// Clone copies the kernel, between two of its system calls.
func (k *Kernel) Clone() *Kernel {
	n := *k
	people := make(map[*Process]*Process, len(k.All))
	for _, p := range k.All {
		q := *p
		q.kernel, q.ids = &n, slices.Clone(p.ids)
		people[p] = &q
	}
	for _, q := range people {
		q.parent, q.mother, q.child = people[q.parent], people[q.mother], people[q.child]
	}
	each := func(old []*Process) []*Process {
		copied := make([]*Process, len(old))
		for i, p := range old {
			copied[i] = people[p]
		}
		return copied
	}
	n.Listed, n.All = each(k.Listed), each(k.All)
	n.rows, n.todo, n.parents = nil, nil, nil
	n.events = slices.Clone(k.events)
	n.knotes = make([]*knote, len(k.knotes))
	for i, kn := range k.knotes {
		n.knotes[i] = &knote{people[kn.proc], kn.pid, kn.start, kn.pending, kn.gone}
	}
	return &n
}
