package explore

import (
	"errors"
	"slices"
	"time"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/internal/simkernel"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// A case with Deaths has its tracker die between any two steps, with all that it has in
// memory: kill -9 of a monitor. The processes go on, for as long as the chooser has them,
// while nothing watches. Then another tracker begins with what a journal names. It may die
// too, also while it begins.

// An Heir is an actor that dies with the tracker and goes on with the next one.
type Heir interface {
	Actor
	// Die is called when tracker and actor have died. It leaves what is in files.
	Die()
	// History returns what the files tell the next tracker of the tree. It is called
	// when that is about to begin.
	History() trees.History
}

// A Leaver is an heir that may also end in good order, by HandOver of the run.
type Leaver interface {
	Heir
	MayLeave() bool
	Leave()
}

// A leaver is the stepper that has a [Leaver] leave.
type leaver struct{ Leaver }

// Step leaves.
func (l leaver) Step() { l.Leave() }

// A death ends a tracker from inside of a system call. Where it is in order, the actor has
// seen to all that it leaves.
type death struct{ inOrder bool }

// A killer is the stepper that has the tracker die.
type killer struct{ run *Run }

// Step kills.
func (k killer) Step() {
	k.run.Kernel.Story("the monitor is killed")
	panic(death{})
}

// HandOver ends the tracker in the middle of a step of the actor, which has left all as the
// next one is to find it.
func (r *Run) HandOver() {
	r.Kernel.Story("the monitor hands over")
	panic(death{inOrder: true})
}

// mayDie reports whether the tracker may die now. The first one may when it has read the
// table: before that the owner waits for it.
func (r *Run) mayDie() bool {
	return r.Deaths > 0 && r.Follower != nil && (r.reborn || r.Tree != nil && r.Tree.Begun())
}

// appendEnders appends what may end the tracker now. Nothing depends on it that they may:
// a run in which nothing but this can happen is over.
func (r *Run) appendEnders(steppers []stepper) []stepper {
	if r.mayDie() {
		steppers = append(steppers, killer{r})
	}
	if l, ok := r.actor.(Leaver); ok && r.Tree != nil && r.Tree.Begun() && l.MayLeave() {
		steppers = append(steppers, leaver{l})
	}
	return steppers
}

// live has a tracker follow the tree until it dies.
func (r *Run) live() {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case death:
			if r.end(); !p.inOrder {
				r.Deaths, r.dying = r.Deaths-1, true
			}
		default:
			panic(p)
		}
	}()
	if r.Follower == nil && !r.beginAgain() {
		return
	}
	r.follow()
}

// end ends the present tracker: all that it had in memory is lost.
func (r *Run) end() {
	r.Kernel.TrackerDies()
	r.Beside = nil
	r.Follower, r.Tree, r.recheck, r.since, r.looked = nil, nil, false, 0, look{}
	r.reborn = true
}

// beginAgain has another tracker begin, at a time of the chooser's. It reports whether it
// follows the tree: a process that the journal names may be hidden.
func (r *Run) beginAgain() bool {
	heir := r.actor.(Heir)
	if r.dying {
		r.dying = false
		heir.Die()
	}
	r.unwatched()
	history := heir.History()
	r.Kernel.Story("a monitor begins with a journal of %v", history.Members)
	r.Kernel.TrackerBegins(history.Members)
	if r.Amend != nil {
		history = r.Amend(r.actor, history)
	}
	r.Follower = r.newFollower()
	r.Kernel.Beginning(true)
	tree, err := r.resumeBoth(history)
	r.Kernel.Beginning(false)
	if err != nil {
		r.Kernel.Story("it cannot begin: %v", err)
		r.end()
		return false
	}
	r.Tree = tree
	return true
}

var errHidden = errors.New("a process was hidden when it was recorded")

// resume does what a monitor does: it begins nothing where a process was recorded without
// its start time, and its PID is in use.
func (r *Run) resume(h trees.History) (*core.Tree, error) {
	for _, id := range h.Members {
		if id.Start != 0 {
			continue
		}
		if _, err := r.Kernel.Lookup(id.PID); !errors.Is(err, process.ErrGone) {
			return nil, errHidden
		}
	}
	return r.Follower.Resume(r.Kernel.Owner().Identity(), h)
}

// unwatched has processes take steps until the chooser has the next tracker begin.
func (r *Run) unwatched() {
	for {
		if r.onStep != nil {
			r.onStep()
		}
		r.steppers, r.first = r.ready(r.steppers[:0]), 1
		r.stepping = true
		choice := r.choose(1+len(r.steppers), false)
		r.stepping = false
		if choice == 0 {
			return
		}
		if choice > len(r.steppers) {
			r.fail("there is no choice %d here", choice)
		}
		r.steppers[choice-1].Step()
	}
}

func (r *Run) newFollower() *core.Follower {
	f := core.NewFollower(r.Kernel, -1, func() time.Time { return r.Kernel.Now })
	f.Publish()
	return f
}

// checkLinked fails the run if a process that would be lost has a link to what the journal
// names, for the tracker of a run that began with one.
func (r *Run) checkLinked(lost []*simkernel.Process) {
	for _, p := range lost {
		if r.reborn && r.Kernel.Linked(p) {
			r.fail("found empty while %s lives, which is linked to a process of the journal", p)
		}
	}
}

// A Scribe keeps the journal of a run that has no life beside its tracker. It names each
// process as soon as that joins. What of it is on the disk when the monitor dies is for the
// chooser: a write may have failed, or be cut short.
type Scribe struct {
	Run       *Run
	joined    []process.Identity // in order, without the owner
	beside    []process.Identity // the same for the neighbour
	strangers []process.Identity
	begun     bool // strangers are known
	cutting   bool
}

// Ready implements [Actor]. It writes, and is never ready.
func (s *Scribe) Ready() bool {
	if s.Meet(); s.begun && s.Run.HasChanges() {
		s.Write(s.Run.Changes())
	}
	if r := s.Run; r.Beside != nil {
		var changes []trees.Change
		r.Follower.Do(func(c *core.Core) { changes = c.Changes(r.Beside) })
		s.beside = written(s.beside, r.Kernel.NeighbourOwner().Identity(), changes)
	}
	return false
}

// Meet takes the strangers to the tree, once the table has been read: they are in the
// record of the runtime.
func (s *Scribe) Meet() {
	if s.Run.Fresh && !s.begun && s.Run.Tree.Begun() {
		s.Run.Follower.Do(func(c *core.Core) { s.strangers = c.Strangers(s.Run.Tree) })
	}
	s.begun = s.begun || s.Run.Tree.Begun()
}

// Write adds the processes that changes name.
func (s *Scribe) Write(changes []trees.Change) {
	s.joined = written(s.joined, s.Run.Kernel.Owner().Identity(), changes)
}

// written returns a journal with the processes that changes name, without the owner.
func written(joined []process.Identity, owner process.Identity, changes []trees.Change) []process.Identity {
	for _, c := range changes {
		id := c.Member.Identity
		if c.Kind == trees.Joined && id != owner && !slices.Contains(joined, id) {
			joined = append(joined[:len(joined):len(joined)], id)
		}
	}
	return joined
}

// Step implements [Actor].
func (s *Scribe) Step() {}

// Finish implements [Actor].
func (s *Scribe) Finish() string { return "" }

// Die implements [Heir].
func (s *Scribe) Die() {
	s.cutting = true
	left := s.Run.Choose(len(s.joined) + 1)
	kept := len(s.joined) - left
	s.cutting = false
	s.joined = s.joined[:kept:kept]
	s.beside = s.beside[:max(0, len(s.beside)-left)]
}

// History implements [Heir].
func (s *Scribe) History() trees.History {
	known := append([]process.Identity{s.Run.Kernel.Owner().Identity()}, s.joined...)
	return trees.History{Members: known, Strangers: s.strangers, Fresh: s.Run.Fresh && !s.begun, Marks: s.Run.marks()}
}

// Clone implements [Actor].
func (s *Scribe) Clone(r *Run) Actor { n := *s; n.Run = r; return &n }

// AppendState implements [Actor].
func (s *Scribe) AppendState(text []byte) []byte {
	w := core.StateWriter{Text: text}
	w.Flags(s.begun, s.cutting)
	for _, ids := range [][]process.Identity{s.joined, s.beside, s.strangers} {
		for _, id := range ids {
			w.Numbers(id.PID, int(id.Start))
		}
		w.End()
	}
	return w.Text
}

// dead returns a copy of the run in which the tracker has just died, to be recognised and
// not to be played.
func (r *Run) dead() *Run {
	n := &Run{Case: r.Case, Kernel: r.Kernel.Clone(), dying: true, parted: r.parted}
	n.actor = r.actor.Clone(n)
	n.end()
	n.Deaths--
	return n
}
