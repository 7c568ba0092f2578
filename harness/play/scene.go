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
	who := s.processes[a.Who]
	switch a.Deed {
	case Exits, Dies:
		who.ended = true
	case Forks:
		s.names = append(s.names, a.Whom)
		s.processes[a.Whom] = &process{parent: a.Who, empty: who.empty}
	case Reaps:
		s.processes[a.Whom].reaped = true
	case LeadsGroup, LeadsSession:
		who.leads = true
	case Execs:
		who.fresh = true
	case LetsGo:
		who.empty = true
	}
}

// objects returns the processes that a deed could have as its object, "" for a deed
// without one.
func (s *scene) objects(deed Deed, who string) []string {
	switch deed {
	case Forks:
		return []string{nameOf(len(s.names))}
	case Reaps:
		return slices.DeleteFunc(slices.Clone(s.names), func(name string) bool { return s.processes[name].parent != who })
	}
	return []string{""}
}

// allows reports whether an act is possible. An act without effect is not.
func (s *scene) allows(a Act) bool {
	who := s.processes[a.Who]
	if who.ended {
		return false
	}
	switch a.Deed {
	case Forks:
		return a.Whom <= "Z"
	case Reaps:
		whom := s.processes[a.Whom]
		return whom.ended && !whom.reaped && !who.fresh
	case LeadsGroup, LeadsSession:
		return !who.leads
	case Execs:
		return !who.fresh
	case LetsGo:
		return !who.empty
	}
	return true
}
