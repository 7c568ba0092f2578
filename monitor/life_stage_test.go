package monitor

import "github.com/gemini-monitor/gemini/tracker/trees"

// A step is how a machine takes an event: (*life).step, or a wrong one.
type step func(*life, event) []act

// A stage is a world and the monitor in it, with all that is under way. The
// driver is modelled as the real one, but slower: an answer may come after news
// of the table, and the monitor may be killed between any two acts.
type stage struct {
	world   world
	life    life
	working bool // a monitor is there
	acts    []act
	events  []outcome
	missing []trees.Change // in the monitor's memory, and not in the journal

	look, retry, listening bool
	attached               bool // it has reported that it watches
	leaving                bool // it has taken the request to leave
	mounts                 bool // it watches them

	durable   bool // the runtime is
	hooks     bool // the runtime has an on-empty command
	hookRuns  bool
	hookDone  bool // it has ended well since the table showed a member
	hookFails int  // how often it may still fail

	hasty bool // the driver answers a newcomer before that is in the journal

	// kills, leaves, ends and forgoes are how often that may still happen.
	kills, leaves, ends, forgoes int

	// What the properties need to know.
	agreed int  // 1: the table was empty after the last news; 2: and then the lease free
	clear  bool // when the lease was asked last, no process was present
}

// An outcome waits for the monitor to take it.
type outcome struct {
	event
	// fresh: it answers a question since which no news came, and if it is of the
	// lease, one that was asked when the table was empty.
	fresh bool
}

// key is different for different stages. The time to the next look is not in it.
func (s *stage) key() string {
	key := append(make([]byte, 0, 256), s.world.key()...)
	l := &s.life
	key = append(key, '|', byte(l.phase), byte(l.lease), byte(l.table), byte(s.kills), byte(s.leaves), byte(s.ends), byte(s.forgoes), byte(s.agreed), byte(len(l.reason)), byte(l.hook), byte(s.hookFails))
	for _, set := range []bool{
		l.recordBehind, l.journalBehind, s.working, s.look, s.retry, s.listening,
		s.attached, s.leaving, s.mounts, s.clear, s.hooks, s.hookRuns, s.hookDone,
	} {
		key = append(key, '0')
		if set {
			key[len(key)-1] = '1'
		}
	}
	key = append(append(key, l.said.state...), l.said.reason...)
	for _, a := range s.acts {
		key = append(append(key, '|', byte(a.kind), byte(a.result)), a.says.state...)
		key = appendChanges(append(key, a.says.reason...), a.changes)
	}
	for _, o := range s.events {
		key = append(append(key, ';', byte(o.kind)), o.reason...)
		if o.fresh {
			key = append(key, '!')
		}
	}
	return string(appendChanges(append(key, '|'), s.missing))
}

func appendChanges(key []byte, changes []trees.Change) []byte {
	for _, c := range changes {
		key = append(append(key, c.Kind...), byte(c.Member.PID))
	}
	return key
}

// clone shares what is only ever replaced.
func (s *stage) clone() *stage {
	after := *s
	return &after
}

// A transition is what may happen next on a stage.
type transition struct {
	name string
	next *stage
}

// transitions returns all that may happen next. While the monitor writes, or takes
// the outcome, no process acts: the order makes no difference to either. What others ask
// of the monitor it takes before an outcome, which matters where that is the last one.
func (s *stage) transitions(take step) (all []transition) {
	if s.working && s.writes() {
		all = append(s.proceed(take), s.killings()...)
		if s.life.phase == idling {
			all = append(all, s.asked(take)...)
		}
		return all
	}
	for _, w := range s.world.moves() {
		all = append(all, s.then("a process acts", func(s *stage) { s.world = w }))
	}
	switch {
	case s.working:
		all = append(all, s.proceed(take)...)
		if len(s.acts) == 0 && s.attached {
			all = append(all, s.receive(take)...)
			all = append(all, s.happenings(take)...)
			all = append(all, s.asked(take)...)
		}
		all = append(all, s.killings()...)
	case !s.concluded():
		all = append(all, s.then("the next monitor begins", func(s *stage) { s.begin(take) }))
	}
	return all
}

// concluded reports whether the runtime was removed or is idle: no monitor begins then.
func (s *stage) concluded() bool { return s.world.removed() || s.world.idle() }

// writes reports whether what comes next concerns the processes in no way.
func (s *stage) writes() bool {
	if len(s.acts) > 0 {
		kind := s.acts[0].kind
		return kind != askLease && kind != checkTable && kind != remove && kind != makeIdle
	}
	return len(s.events) > 0 && s.events[0].isOutcome()
}

// proceed carries out the next act, or has the machine take what came of one.
func (s *stage) proceed(take step) []transition {
	if len(s.acts) > 0 {
		return s.carryOut()
	}
	if len(s.events) == 0 {
		return nil
	}
	return []transition{s.then(s.events[0].kind.String(), func(s *stage) {
		o := s.events[0]
		s.events = s.events[1:]
		s.weigh(o)
		if o.kind == alive && o.fresh {
			s.hookDone = false
		}
		s.take(take, o.event)
	})}
}

func (s *stage) then(name string, change func(*stage)) transition {
	after := s.clone()
	change(after)
	return transition{name, after}
}

// happenings are what the driver waits for.
func (s *stage) happenings(take step) (all []transition) {
	if news := s.world.news(); len(news) > 0 {
		all = append(all, s.then("news", func(s *stage) {
			s.world = s.world.take()
			s.hear(take, newsOf(news))
		}))
	}
	if s.look {
		all = append(all, s.then("look", func(s *stage) { s.look = false; s.take(take, event{kind: look}) }))
	}
	if s.retry {
		all = append(all, s.then("retry", func(s *stage) { s.retry = false; s.take(take, event{kind: retry}) }))
	}
	if s.listening && s.world.releases() {
		all = append(all, s.then("released", func(s *stage) {
			s.world = s.world.takeRelease()
			s.take(take, event{kind: released})
		}))
	}
	if s.mounts {
		all = append(all, s.then("unmounted", func(s *stage) { s.mounts = false; s.take(take, event{kind: unmounted}) }))
	}
	if s.hookRuns {
		all = append(all, s.then("hooked", func(s *stage) {
			s.hookRuns, s.hookDone = false, true
			s.take(take, event{kind: hooked})
		}))
		if s.hookFails > 0 {
			all = append(all, s.then("unhooked", func(s *stage) {
				s.hookRuns, s.hookFails = false, s.hookFails-1
				s.take(take, event{kind: unhooked, reason: "exit status 1"})
			}))
		}
	}
	return all
}

// asked are what others ask of the monitor.
func (s *stage) asked(take step) (all []transition) {
	if len(s.acts) > 0 || !s.attached {
		return nil
	}
	if s.forgoes > 0 && s.hooks {
		all = append(all, s.then("forgone", func(s *stage) {
			s.forgoes--
			s.hooks, s.hookRuns = false, false
			s.take(take, event{kind: forgone})
		}))
	}
	if s.ends > 0 {
		all = append(all, s.then("told to end", func(s *stage) {
			s.ends--
			s.take(take, event{kind: toldToEnd, reason: "told"})
		}))
	}
	if s.leaves > 0 {
		all = append(all, s.then("leave", func(s *stage) {
			s.leaves, s.leaving = s.leaves-1, true
			s.take(take, event{kind: leave})
		}))
	}
	return all
}

func (s *stage) killings() []transition {
	if s.kills == 0 {
		return nil
	}
	return []transition{s.then("killed", func(s *stage) { s.kills--; s.end() })}
}
