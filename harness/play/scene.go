package play

import "slices"

// A scene is who is there after some acts.
type scene struct {
	cast   []string // in the order of their birth
	people map[string]*person
}

type person struct {
	parent string
	ended  bool
	reaped bool
	leads  bool // a group, which forbids it to make another or a session
	empty  bool // holds nothing of what it inherited
	fresh  bool // has exec'ed, and does not know its children any more
}

// The command that a job begins with leads a group.
func (p Play) scene() *scene {
	s := &scene{cast: []string{"A"}, people: map[string]*person{"A": {leads: true}}}
	for _, a := range p {
		s.perform(a)
	}
	return s
}

func (s *scene) perform(a Act) {
	who := s.people[a.Who]
	switch a.Deed {
	case Exits, Dies:
		who.ended = true
	case Forks:
		s.cast = append(s.cast, a.Whom)
		s.people[a.Whom] = &person{parent: a.Who, empty: who.empty}
	case Reaps:
		s.people[a.Whom].reaped = true
	case LeadsGroup, LeadsSession:
		who.leads = true
	case Execs:
		who.fresh = true
	case LetsGo:
		who.empty = true
	}
}

// objects are those to whom a deed could be done; "" is nobody.
func (s *scene) objects(deed Deed, who string) []string {
	switch deed {
	case Forks:
		return []string{nameOf(len(s.cast))}
	case Reaps:
		return slices.DeleteFunc(slices.Clone(s.cast), func(name string) bool { return s.people[name].parent != who })
	}
	return []string{""}
}

// allows reports whether an act may come next. What would change nothing may not.
func (s *scene) allows(a Act) bool {
	who := s.people[a.Who]
	if who.ended {
		return false
	}
	switch a.Deed {
	case Forks:
		return a.Whom <= "Z"
	case Reaps:
		whom := s.people[a.Whom]
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
