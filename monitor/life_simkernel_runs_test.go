package monitor

import (
	"math/rand/v2"
	"slices"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/internal/explore"
	"github.com/gemini-monitor/gemini/internal/simkernel"
)

// Clone implements [explore.Actor]. The copy shares what is only ever replaced.
func (s *steward) Clone(r *explore.Run) explore.Actor {
	n := *s
	n.run, n.scribe.Run = r, r
	n.acts = append([]act(nil), s.acts...)
	n.answers = append([]outcome(nil), s.answers...)
	return &n
}

// AppendState implements [explore.Actor].
func (s *steward) AppendState(text []byte) []byte {
	w := core.StateWriter{Text: text}
	if s.mortal {
		w.Text = s.scribe.AppendState(text)
		if s.run.Amend != nil {
			for _, id := range s.unread {
				w.Numbers(id.PID, int(id.Start))
			}
			w.End()
		}
	}
	l := &s.life
	w.Numbers(int(l.phase), int(l.lease), int(l.table), s.failures, s.agreed, s.late, int(s.holders), s.leaves)
	w.Flags(l.recordBehind, l.journalBehind, s.begun, s.look, s.retry, s.listening, len(s.missing) > 0, s.removed)
	w.Flags(s.arriving)
	for _, c := range s.missing {
		w.Text = append(w.Text, c.Kind...)
		w.Numbers(c.Member.PID, int(c.Member.Start))
	}
	w.End()
	for _, says := range []statement{l.said, s.written} {
		w.Text = append(append(w.Text, says.state...), says.reason...)
		w.End()
	}
	for _, a := range s.acts {
		w.Numbers(int(a.kind), len(a.changes))
		w.Text = append(append(w.Text, a.says.state...), a.says.reason...)
	}
	w.End()
	for _, c := range s.inbox {
		w.Text = append(w.Text, c.Kind...)
		w.Numbers(c.Member.PID)
	}
	w.End()
	for _, o := range s.answers {
		w.Numbers(int(o.kind))
		w.Flags(o.fresh)
	}
	return w.Text
}

var _ explore.Actor = (*steward)(nil)

// stewarded is a case with a steward, some of whose writes may fail.
func stewarded(c explore.Case, take step, failures int) explore.Case {
	c.Actor = func(r *explore.Run) explore.Actor { return newSteward(r, take, failures) }
	return c
}

// durable is a stewarded case of a durable runtime.
func durable(c explore.Case) explore.Case {
	make := c.Actor
	c.Actor = func(r *explore.Run) explore.Actor {
		s := make(r).(*steward)
		s.durable, s.life.durable = true, true
		return s
	}
	return c
}

// truthful is a stewarded case whose steward is held against the truth alone.
func truthful(c explore.Case) explore.Case {
	make := c.Actor
	c.Actor = func(r *explore.Run) explore.Actor {
		s := make(r).(*steward)
		s.truthOnly = true
		return s
	}
	return c
}

// caseNamed is a case of the catalogue, or one with a guest.
func caseNamed(name string) explore.Case {
	for _, c := range slices.Concat(explore.Catalogue, explore.Guests) {
		if c.Name == name {
			return c
		}
	}
	panic("the catalogue has no case " + name)
}

// atRandom plays one schedule, in which the tracker is fast for a while and then slow
// for a while. The same seed plays the same one.
func atRandom(c explore.Case, flavour simkernel.Flavour, seed uint64) (failure string) {
	order, fast := rand.New(rand.NewPCG(seed, 0)), false
	failure, _ = explore.Play(c, flavour, func(options int) int {
		if order.IntN(50) == 0 {
			fast = !fast
		}
		if options == 1 || fast != (order.IntN(20) == 0) {
			return 0
		}
		return 1 + order.IntN(options-1)
	})
	return failure
}
