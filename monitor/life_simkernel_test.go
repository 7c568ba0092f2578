package monitor

import (
	"slices"

	"github.com/gemini-monitor/gemini/internal/explore"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// A steward is a life beside the tracker on the simulated kernel, with its driver and
// its store: what the abstract village assumes of the witnesses, the tracker and the
// kernel do here. The driver is slower than the real one: news may come before the
// answer that they overtake.
//
// The steward begins when its runtime is watched. Writes concern no process, so their
// outcomes are taken in the step in which they are made.
type steward struct {
	run  *explore.Run
	take step
	// scribe has what is in the journal.
	scribe explore.Scribe
	mortal bool // its journal is read
	life   life
	acts   []act // to be carried out; the first of them asks a witness, or removes
	// begun: the table check that is the first act was asked for, or the lease that it
	// asks was found free.
	begun   bool
	answers []outcome
	inbox   []trees.Change // taken from the run, and not told

	look, retry bool
	listening   bool
	holders     uint64 // of the lease, when a release was last listened for

	failures int // writes that may still fail
	written  statement
	missing  []trees.Change // changes that are not in the journal
	removed  bool
	durable  bool // the runtime is, which is empty and stays then

	agreed   int                // as in a stage
	late     int                // table checks since no process lived
	arriving bool               // the table is read for the first time
	leaves   int                // requests to leave that may still come
	unread   []process.Identity // written last before the last hand-over
	// truthOnly: a removal is held against the processes that live, and not against
	// what the witnesses have answered.
	truthOnly bool
}

// newSteward makes the steward of a run whose record and journal are written.
func newSteward(run *explore.Run, take step, failures int) *steward {
	s := &steward{run: run, take: take, scribe: explore.Scribe{Run: run}}
	for _, e := range []event{{kind: begin}, {kind: recorded}} {
		s.acts = append(s.acts, take(&s.life, e)...)
	}
	s.settle()
	s.failures = failures
	return s
}

// Ready implements [explore.Actor]. Members that join or leave decide nothing while the
// table shows some: their journal is written at once, so that fewer states are visited.
func (s *steward) Ready() bool {
	if s.mortal {
		s.scribe.Meet()
	}
	if s.arriving {
		return s.run.Tree.Begun()
	}
	if s.life.phase == following && s.failures == 0 && len(s.acts) == 0 && s.run.HasChanges() {
		s.inbox = append(s.inbox[:len(s.inbox):len(s.inbox)], s.run.Changes()...)
		if newsOf(s.inbox).kind == members && !slices.ContainsFunc(s.inbox, isEmptied) {
			s.hear()
			s.settle()
		}
	}
	return len(s.happenings()) > 0
}

func isEmptied(c trees.Change) bool { return c.Kind == trees.Emptied }

// Step implements [explore.Actor].
func (s *steward) Step() {
	if s.arriving {
		s.arrive()
		return
	}
	all := s.happenings()
	all[s.run.Choose(len(all))]()
	s.settle()
}

// happenings are what may come next.
func (s *steward) happenings() (all []func()) {
	if len(s.acts) > 0 {
		if s.acts[0].kind == checkTable && s.begun && !s.run.Checked() {
			return nil
		}
		return []func(){s.carryOut}
	}
	if s.life.phase == over {
		return nil
	}
	if len(s.answers) > 0 {
		all = append(all, s.answer)
	}
	if len(s.inbox) > 0 || s.run.HasChanges() {
		all = append(all, s.hear)
	}
	if len(s.answers) > 0 {
		return all
	}
	if s.look {
		all = append(all, func() { s.look = false; s.tell(event{kind: look}) })
	}
	if s.retry {
		all = append(all, func() { s.retry = false; s.tell(event{kind: retry}) })
	}
	if s.listening && s.holders&^s.holding() != 0 {
		all = append(all, func() { s.holders = s.holding(); s.tell(event{kind: released}) })
	}
	return all
}

// tell has the machine take an event.
func (s *steward) tell(e event) { s.acts = append(s.acts, s.take(&s.life, e)...) }

// hear takes news, after which no earlier answer counts.
func (s *steward) hear() {
	news := newsOf(append(s.inbox[:len(s.inbox):len(s.inbox)], s.run.Changes()...))
	s.inbox = nil
	s.agreed = 0
	if news.kind == emptied {
		s.agreed = 1
	}
	for i := range s.answers {
		s.answers[i].fresh = false
	}
	s.tell(news)
}

// answer takes what a witness has answered.
func (s *steward) answer() {
	o := s.answers[0]
	s.answers = s.answers[1:]
	s.agreed = weigh(s.agreed, o)
	s.tell(o.event)
}

// carryOut goes on with the first act.
func (s *steward) carryOut() {
	switch s.acts[0].kind {
	case checkTable:
		s.checkTable()
	case askLease:
		s.askLease()
	case remove:
		s.remove()
	case makeIdle:
		s.makeIdle()
	}
}

// done ends the first act with an answer.
func (s *steward) done(e event, fresh bool) {
	s.acts, s.begun = s.acts[1:], false
	s.answers = append(s.answers[:len(s.answers):len(s.answers)], outcome{e, fresh})
}

func (s *steward) checkTable() {
	if !s.begun {
		s.begun = true
		s.run.Recheck()
		return
	}
	if s.run.Kernel.Living() == 0 && !s.run.Unproven() {
		s.late++
	}
	if s.late > tooLate {
		s.run.Fail("goes on for ever though no process lives")
	}
	v, err := s.run.Verdict()
	if err == nil {
		err = s.run.CheckError()
	}
	switch {
	case err != nil:
		s.done(event{kind: unchecked, reason: err.Error()}, true)
	case v == trees.Alive:
		s.done(event{kind: alive}, true)
	default:
		s.done(event{kind: vacant}, true)
	}
}

// tooLate is more table checks than a life needs after the last exit: one for each
// process that the tracker has still to tell of, and one for a look.
const tooLate = 8

// askLease asks the lease, and in a step of its own whether the table is empty still.
func (s *steward) askLease() {
	fresh := s.agreed == 1
	switch {
	case !s.begun && s.run.LeaseHeld():
		s.done(event{kind: held}, fresh)
	case !s.begun:
		s.begun = true
	default:
		e := event{kind: unsettled}
		if v, _ := s.run.Verdict(); v == trees.Empty {
			e.kind = free
		}
		s.done(e, fresh)
	}
}

// remove holds the promise against the processes that live.
func (s *steward) remove() {
	if s.agreed != 2 && !s.truthOnly {
		s.run.Fail("removes though the witnesses did not agree after the last news")
	}
	s.run.CheckDeserted()
	s.acts, s.removed = s.acts[1:], true
	s.tell(event{kind: removed})
}

// makeIdle holds the promise against the processes that live, as remove does.
func (s *steward) makeIdle() {
	s.run.CheckDeserted()
	s.acts, s.removed = s.acts[1:], true
	s.tell(event{kind: idled})
}

// settle carries out the acts that concern no process, up to one that does.
func (s *steward) settle() {
	for len(s.acts) > 0 {
		a := s.acts[0]
		switch a.kind {
		case checkTable, askLease, remove, makeIdle:
			return
		case writeRecord:
			if s.write(recorded, unrecorded) {
				s.written = a.says
			}
		case appendJournal:
			s.missing = append(s.missing[:len(s.missing):len(s.missing)], a.changes...)
			if missing := s.missing; s.write(journaled, unjournaled) {
				s.missing = nil
				if s.mortal {
					s.scribe.Write(missing)
				}
			}
		case finish:
			s.end(a)
		default:
			s.note(a)
		}
	}
}

// write makes a write, which may fail, and has the machine take the outcome.
func (s *steward) write(good, bad eventKind) (done bool) {
	done = s.failures == 0 || s.run.Choose(2) == 0
	s.acts = s.acts[1:]
	if !done {
		s.failures--
		s.tell(event{kind: bad, reason: "disk full"})
		return false
	}
	s.tell(event{kind: good})
	return true
}

// end ends the watching.
func (s *steward) end(a act) {
	if a.result == resultLeft && s.leaves > 0 {
		s.handOver()
	}
	concluded := resultRemoved
	if s.durable {
		concluded = resultIdle
	}
	if a.result != concluded || !s.removed {
		s.run.Fail("gives up: %v %s", a.result, a.reason)
	}
	s.run.End()
}

// note carries out an act of which the monitor hears nothing.
func (s *steward) note(a act) {
	s.acts = s.acts[1:]
	switch a.kind {
	case listen:
		if !s.listening {
			s.listening, s.holders = true, s.holding()
		}
	case endListening:
		s.listening, s.holders = false, 0
	case setLook:
		s.look = true
	case setRetry:
		s.retry = true
	}
}

// holding has a bit for each process that holds the lease.
func (s *steward) holding() (all uint64) {
	for _, p := range s.run.Kernel.Listed {
		if p.Lease {
			all |= 1 << p.Identity().Start
		}
	}
	return all
}

// Finish implements [explore.Actor].
func (s *steward) Finish() string {
	switch {
	case s.run.Kernel.Living() == 0 && !s.run.Unannounced() && !s.run.TakesStranger() && !s.run.Unproven():
		return "never removed"
	case s.written != s.life.said:
		return "the record says for good what is not so"
	case len(s.missing) > 0:
		return "changes are missing in the journal for good"
	}
	return ""
}
