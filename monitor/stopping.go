package monitor

import "time"

// A stopping decides how the members of a runtime are made to end. Like a life it is a state
// machine of plain data; a stopper carries out its acts and reports what came of them. It
// removes nothing: when no member is left, the life of the runtime finds that out.
//
//	untold     told       asked      ask the members, set the timer to the grace
//	asked      told       asked      set the timer to the new grace, if that is over earlier
//	asked      due        freezing   freeze
//	freezing   froze      freezing   freeze again, if any was not frozen before
//	freezing   froze      freezing   look, if all were, and the last look is older
//	freezing   looked     freezing   freeze
//	freezing   froze      killed     kill, if all were frozen before the last look
//	killed     due        freezing   freeze
//
// A process that is frozen, which is stopped by SIGSTOP, forks no more. So the members are
// killed only when a look at the process table that began after the last was frozen finds
// no other: a process that forks faster than it can be killed is frozen before, and none sees
// the death of another and starts it anew.
//
// It goes round until the runtime is removed: a process that was hidden may show itself, and
// one that may not be signalled may become another user's.
type stopping struct {
	phase  stopPhase
	looked bool          // since the last member was frozen
	pause  time.Duration // before the next round
}

// A stopPhase is where a stopping stands.
type stopPhase uint8

const (
	untold stopPhase = iota
	asked
	freezing
	killed
)

var stopPhaseNames = [...]string{"untold", "asked", "freezing", "killed"}

func (p stopPhase) String() string { return stopPhaseNames[p] }

// A stopEventKind names what a stopper reports to a stopping.
type stopEventKind uint8

const (
	stopAsked   stopEventKind = iota // with the grace
	askedBefore                      // an earlier monitor has asked the members; with what is left of the grace
	due                              // the timer
	froze                            // with the number of members that were not frozen before
	looked                           // the table was read
)

// A stopEvent is what a stopper reports to a stopping.
type stopEvent struct {
	kind  stopEventKind
	grace time.Duration
	newly int
}

// A stopActKind names what a stopping has its stopper do.
type stopActKind uint8

const (
	askMembers stopActKind = iota // send each the signal, once
	setDue                        // set the timer, unless it is due earlier: due follows
	freeze                        // send SIGSTOP to each that did not get it: froze follows
	lookAgain                     // read the table: looked follows
	kill                          // send SIGKILL to each, and set the timer
)

var stopActNames = [...]string{"ask members", "set due", "freeze", "look again", "kill"}

func (k stopActKind) String() string { return stopActNames[k] }

// A stopAct is what a stopping has its stopper do.
type stopAct struct {
	kind  stopActKind
	after time.Duration // setDue, kill
}

// The pauses between two rounds, which double.
const (
	firstRound = 20 * time.Millisecond
	lastRound  = slowLook
)

// step takes an event and returns what follows from it.
func (s *stopping) step(e stopEvent) []stopAct {
	switch {
	case e.kind == stopAsked && s.phase == untold:
		s.phase = asked
		return []stopAct{{kind: askMembers}, {kind: setDue, after: e.grace}}
	case e.kind == askedBefore && s.phase == untold, e.kind == stopAsked && s.phase == asked:
		s.phase = asked
		return []stopAct{{kind: setDue, after: e.grace}}
	case e.kind == due && (s.phase == asked || s.phase == killed):
		s.phase, s.looked = freezing, false
		return []stopAct{{kind: freeze}}
	case e.kind == looked && s.phase == freezing:
		s.looked = true
		return []stopAct{{kind: freeze}}
	case e.kind == froze && s.phase == freezing && e.newly > 0:
		s.looked = false
		return []stopAct{{kind: freeze}}
	case e.kind == froze && s.phase == freezing && !s.looked:
		return []stopAct{{kind: lookAgain}}
	case e.kind == froze && s.phase == freezing:
		s.phase = killed
		s.pause = min(max(firstRound, 2*s.pause), lastRound)
		return []stopAct{{kind: kill, after: s.pause}}
	}
	return nil
}
