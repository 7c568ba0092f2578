package monitor

// A guest is what a process from outside does.
type guest uint8

const (
	noGuest guest = iota
	asks          // it holds the lease, and waits for the answer
	joined        // it was answered, and is about to become a command
)

// A newcomerIn is the newcomer of a world that asks, and what became of others.
type newcomerIn struct {
	asks    bool
	seen    bool  // it is a member by the tracker
	lives   bool  // another one has joined, and lives
	sees    bool  // the tracker knows that a member lives
	enter   world // the tracker makes it a member
	answer  world // it is answered
	refused world // it is refused, and exits
}

func (v village) newcomer() (n newcomerIn) {
	n.lives = v.any(func(b body) bool { return b.guest == joined })
	n.sees = v.sees()
	for i, b := range v.bodies {
		if !b.lives() || b.guest != asks {
			continue
		}
		n.asks, n.seen = true, b.seen
		entered, answered, refused := v, v, v
		entered.join(i)
		answered.bodies[i].guest = joined
		refused.exit(i)
		n.enter, n.answer, n.refused = entered, answered, refused
		return n
	}
	return n
}

// receive considers a newcomer, as the driver does. The driver is slower than the real one:
// outcomes and answers may be there that the machine has not taken.
func (s *stage) receive(take step) []transition {
	n := s.world.newcomer()
	verdict, _ := s.life.admits()
	switch {
	case !n.asks:
		return nil
	case n.seen && !s.life.journalBehind && len(s.missing) == 0 && len(s.world.news()) == 0:
		return []transition{s.then("the newcomer is answered", func(s *stage) { s.world = n.answer })}
	case n.seen && s.life.journalBehind, verdict == refused:
		return []transition{s.then("the newcomer is refused", func(s *stage) { s.world = n.refused })}
	case n.seen, verdict == undecided, !n.sees:
		return nil
	}
	return []transition{s.then("the newcomer enters", func(s *stage) {
		s.world = n.enter
		news := s.world.news()
		s.world = s.world.take()
		s.hear(take, newsOf(news))
		if s.hasty {
			s.world = s.world.newcomer().answer
		}
	})}
}
