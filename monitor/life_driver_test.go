package monitor

import "slices"

// begin starts a monitor, which goes on from the journal.
func (s *stage) begin(take step) {
	w, left := s.world.resume()
	s.world, s.working, s.life = w, true, life{}
	if s.hooks {
		s.life.hook = hookDue
	}
	s.life.durable = s.durable
	s.attached, s.leaving = false, false
	s.agreed, s.clear = 0, false
	first := event{kind: begin, changes: left}
	if s.world.written().state != StateStarting {
		first.kind = beginAgain
	}
	s.take(take, first)
}

// end ends a monitor. What it had in memory is lost.
func (s *stage) end() {
	s.working, s.life = false, life{}
	s.acts, s.events, s.missing = nil, nil, nil
	s.look, s.retry, s.listening, s.mounts = false, false, false, false
	s.hookRuns, s.hookDone = false, false
	s.agreed, s.clear = 0, false
}

// take has the machine take an event.
func (s *stage) take(take step, e event) { s.acts = take(&s.life, e) }

// hear has the machine take news, after which no earlier answer counts.
func (s *stage) hear(take step, news event) {
	s.agreed = 0
	if news.kind == emptied {
		s.agreed = 1
	}
	s.events = slices.Clone(s.events)
	for i := range s.events {
		s.events[i].fresh = false
	}
	s.take(take, news)
}

// weigh keeps account of what the witnesses have answered.
func (s *stage) weigh(o outcome) { s.agreed = weigh(s.agreed, o) }

// weigh returns how far the witnesses agree after an answer: not, that the table is
// empty, or that the lease is free as well.
func weigh(agreed int, o outcome) int {
	switch o.kind {
	case vacant, free, held, unasked, unsettled, alive, unchecked:
		switch {
		case !o.fresh:
			return agreed
		case o.kind == vacant:
			return 1
		case o.kind == free && agreed == 1:
			return 2
		}
		return 0
	}
	return agreed
}

// carryOut carries out the first act, in every way that it may end.
func (s *stage) carryOut() (all []transition) {
	a := s.acts[0]
	answers := s.answers(a)
	for _, got := range answers {
		all = append(all, s.then(a.kind.String(), func(s *stage) {
			s.acts, s.world = s.acts[1:], got.world
			s.missing = append(s.missing[:len(s.missing):len(s.missing)], a.changes...)
			if got.kind == journaled {
				s.missing = nil
			}
			fresh := a.kind == checkTable || a.kind == askLease && s.agreed == 1
			s.push(outcome{got.event, fresh})
			if a.kind == askLease {
				s.clear = !s.world.present()
			}
		}))
	}
	if len(answers) == 0 {
		all = append(all, s.then(a.kind.String(), func(s *stage) { s.note(a) }))
	}
	return all
}

// push keeps an outcome for the machine, before the answers, which may be late.
func (s *stage) push(o outcome) {
	at := len(s.events)
	if o.isOutcome() {
		at = slices.IndexFunc(s.events, func(o outcome) bool { return !o.isOutcome() })
		if at < 0 {
			at = len(s.events)
		}
	}
	s.events = slices.Insert(slices.Clone(s.events), at, o)
}

// isOutcome reports whether an event is the outcome of a write. The others are
// answers of a witness.
func (o outcome) isOutcome() bool {
	switch o.kind {
	case recorded, unrecorded, journaled, unjournaled, removed, unremoved, idled, unidled, replaced:
		return true
	}
	return false
}

// answers returns how an act may end. It is empty for an act without an outcome.
func (s *stage) answers(a act) []answer {
	switch a.kind {
	case writeRecord:
		return s.world.write(a.says)
	case appendJournal:
		return s.world.record(append(s.missing[:len(s.missing):len(s.missing)], a.changes...))
	case askLease:
		return s.world.ask()
	case checkTable:
		return s.world.check()
	case remove:
		return s.world.remove()
	case makeIdle:
		return s.world.rest()
	}
	return nil
}

// note carries out an act without an outcome.
func (s *stage) note(a act) {
	s.acts = s.acts[1:]
	switch a.kind {
	case listen, endListening:
		s.listening = a.kind == listen
		s.mounts = s.mounts && s.listening
	case watchMounts:
		s.mounts = true
	case setLook:
		s.look = true
	case setRetry:
		s.retry = true
	case runHook:
		s.hookRuns = true
	case ready:
		s.attached = true
	case finish:
		s.end()
	}
}
