package tracker

import (
	"encoding/binary"
	"slices"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// encode writes down all that the future of a run depends on. Times are left
// out: they decide when, not what.
func (r *simRun) encode() []byte {
	var s stateWriter
	k, c := r.kernel, r.follower.core
	for _, p := range k.everybody {
		if p.state == simGone && !p.member && !p.owes {
			continue
		}
		parent := 0
		if p.parent != nil {
			parent = p.parent.pid
		}
		s.numbers(p.pid, int(p.start), parent, p.pgid, p.sid, int(p.state), p.at, p.phase, int(p.maker), int(p.lineageSeen), p.real)
		s.flags(p.member, p.lease, p.noWait, p.orphan, p.owes, p.underMother, p.named, p.lineageShown)
		s.numbers(p.ids...)
		s.end()
	}
	for _, p := range k.procs { // their order
		s.numbers(p.pid)
	}
	s.end()
	for _, kn := range k.knotes {
		s.numbers(kn.pid, int(kn.start), int(kn.pending))
	}
	s.end()
	for _, e := range k.events {
		s.numbers(e.PID, int(e.Events), e.Child, int(e.found.Start))
		s.flags(e.lost)
	}
	s.numbers(k.lastPID, k.faults, k.refusals, len(k.todo))
	for _, p := range k.todo {
		s.numbers(int(p.start))
	}
	for _, row := range k.rows {
		s.process(row)
	}
	s.text = append(s.text, k.stage, k.kind, byte(k.about))
	s.flags(k.patient)
	s.core(c)
	return s.text
}

func (s *stateWriter) core(c *core) {
	pids := make([]int, 0, len(c.known))
	for pid := range c.known {
		pids = append(pids, pid)
	}
	slices.Sort(pids)
	for _, pid := range pids {
		m := c.known[pid]
		s.process(process.Row{Process: m.Process, Lineage: m.lineage})
		s.numbers(int(m.Link.Through.Start))
		s.flags(m.watched, m.exited, m.dead, m.buried == c.reads, m.ended == c.reads, m.needed == c.reads)
	}
	s.end()
	for _, t := range c.trees {
		s.numbers(t.living, min(t.clean, settledReads))
		s.flags(t.news, t.emptied, t.reads > 0)
	}
	for _, a := range c.asks {
		s.numbers(int(a.verb), a.id.PID, int(a.id.Start))
	}
	s.flags(c.looking, c.unreadable != nil)
}

type stateWriter struct{ text []byte }

func (s *stateWriter) numbers(numbers ...int) {
	for _, n := range numbers {
		s.text = binary.AppendVarint(s.text, int64(n))
	}
}

func (s *stateWriter) flags(flags ...bool) {
	var bits byte
	for i, f := range flags {
		if f {
			bits |= 1 << i
		}
	}
	s.text = append(s.text, bits)
}

func (s *stateWriter) process(p process.Row) {
	s.numbers(p.PID, int(p.Start), p.Parent, p.Group, p.Session, int(p.State), p.Tracer, int(p.Lineage.Self), int(p.Lineage.Parent))
}

func (s *stateWriter) end() { s.text = append(s.text, 0xff) }
