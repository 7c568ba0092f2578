package monitor

import (
	"github.com/gemini-monitor/gemini/internal/explore"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// A steward dies with its tracker and goes on with the next one, as a monitor does that
// takes over a runtime: from record, journal and lease.

var _ explore.Leaver = (*steward)(nil)

// Die implements [explore.Heir].
func (s *steward) Die() {
	s.scribe.Die()
	s.lose()
}

// lose drops what the monitor had in memory.
func (s *steward) lose() {
	s.life, s.acts, s.answers, s.inbox, s.missing = life{}, nil, nil, nil, nil
	s.begun, s.look, s.retry, s.listening, s.holders = false, false, false, false, 0
	s.agreed, s.late, s.arriving = 0, 0, true
}

// History implements [explore.Heir].
func (s *steward) History() trees.History { return s.scribe.History() }

// arrive has a new life begin, when the table has been read once.
func (s *steward) arrive() {
	s.arriving = false
	s.life.durable = s.durable
	first := event{kind: beginAgain}
	if s.written.state == StateStarting {
		first.kind = begin
	}
	s.tell(first)
	s.settle()
}

// MayLeave implements [explore.Leaver]: the life takes the request when it has carried out
// what it was about, and is not removing.
func (s *steward) MayLeave() bool {
	return s.leaves > 0 && !s.arriving && len(s.acts) == 0 && s.life.phase != over
}

// Leave implements [explore.Leaver]: the life leaves, with all in the journal that the
// tracker knows.
func (s *steward) Leave() {
	news := append(s.inbox[:len(s.inbox):len(s.inbox)], s.run.Changes()...)
	s.inbox, s.unread = nil, nil
	for _, c := range news {
		s.unread = append(s.unread, c.Member.Identity)
	}
	s.tell(event{kind: leave, changes: news})
	s.settle()
}

// handOver ends the watching in good order.
func (s *steward) handOver() {
	s.leaves--
	s.lose()
	s.run.HandOver()
}

// mortal is a stewarded case whose monitor is killed and hands over a number of times.
func mortal(c explore.Case, kills, leaves int) explore.Case {
	make := c.Actor
	c.Deaths = kills
	c.Actor = func(r *explore.Run) explore.Actor {
		s := make(r).(*steward)
		s.leaves, s.mortal = leaves, true
		return s
	}
	return c
}
