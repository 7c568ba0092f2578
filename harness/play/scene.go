package play

import "slices"

// A scene is the state of all processes after some acts.
type scene struct {
	names     []string // in the order of their birth
	processes map[string]*process
}

type process struct {
	parent string
	ended  bool
	reaped bool
	leads  bool // a group, so it cannot lead another one or a session
	empty  bool // has closed all that it inherited
	fresh  bool // has exec'ed, and cannot reap its children any more
	bare   bool // has no environment, by which a child would find the stage
	forged bool // has set the variable, or inherited that
}

// scene returns the state after the play. A is the command of a job: it leads a group.
func (p Play) scene() *scene {
	s := &scene{names: []string{"A"}, processes: map[string]*process{"A": {leads: true}}}
	for _, a := range p {
		s.perform(a)
	}
	return s
}

func (s *scene) perform(a Act) {
	actor := s.processes[a.Who]
	switch a.Deed {
	case Exits, Dies:
		actor.ended = true
	case Forks:
		s.names = append(s.names, a.Whom)
		s.processes[a.Whom] = &process{parent: a.Who, empty: actor.empty, forged: actor.forged}
	case Reaps:
		s.processes[a.Whom].reaped = true
	case LeadsGroup, LeadsSession:
		actor.leads = true
	case Execs:
		actor.fresh = true
	case LetsGo:
		actor.empty = true
	case Scrubs:
		actor.bare, actor.fresh, actor.forged = true, true, false
	case Forges:
		actor.forged, actor.fresh = true, true
	}
}

// objects returns the processes that a deed could have as its object, "" for a deed
// without one.
func (s *scene) objects(deed Deed, actor string) []string {
	switch deed {
	case Forks:
		return []string{nameOf(len(s.names))}
	case Reaps:
		return slices.DeleteFunc(slices.Clone(s.names), func(name string) bool { return s.processes[name].parent != actor })
	}
	return []string{""}
}

// allows reports whether an act is possible. An act without effect is not.
func (s *scene) allows(a Act) bool {
	actor := s.processes[a.Who]
	if actor.ended {
		return false
	}
	switch a.Deed {
	case Forks:
		return a.Whom <= "Z" && !actor.bare
	case Reaps:
		object := s.processes[a.Whom]
		return object.ended && !object.reaped && !actor.fresh
	case LeadsGroup, LeadsSession:
		return !actor.leads
	case Execs:
		return !actor.fresh
	case LetsGo:
		return !actor.empty
	case Scrubs:
		return !actor.bare
	case Forges:
		return !actor.forged
	}
	return true
}
