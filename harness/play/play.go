// Package play is a language for what a few processes do, one after the other. A play
// is a text like
//
//	A forks B; B leads a session; B forks C; B exits; A reaps B; A exits; C exits
//
// A exists at the beginning. The scenarios perform a play with real processes, the
// explorer of the tracker on a simulated kernel.
package play

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Deed is what a process does.
type Deed string

// The deeds. Forks and Reaps have a process as their object.
const (
	Exits        Deed = "exits"
	Dies         Deed = "dies" // is killed
	Forks        Deed = "forks"
	Reaps        Deed = "reaps" // waits for a child that has ended
	LeadsGroup   Deed = "leads a group"
	LeadsSession Deed = "leads a session"
	Execs        Deed = "execs"
	LetsGo       Deed = "lets go" // closes all descriptors that it inherited
	Scrubs       Deed = "scrubs"  // execs with an empty environment, and forks no more
	Forges       Deed = "forges"  // execs with a variable set to a value that the cast has
)

var deeds = []Deed{Exits, Dies, Forks, Reaps, LeadsGroup, LeadsSession, Execs, LetsGo, Scrubs, Forges}

// An Act is one deed of one process.
type Act struct {
	Who  string // a capital letter
	Deed Deed
	Whom string // the process that Who forks or reaps
}

func (a Act) String() string {
	return strings.TrimSpace(a.Who + " " + string(a.Deed) + " " + a.Whom)
}

// Ends reports whether the acting process has ended after the act.
func (a Act) Ends() bool { return a.Deed == Exits || a.Deed == Dies }

// A Play is acts in their order.
type Play []Act

func (p Play) String() string {
	acts := make([]string, len(p))
	for i, a := range p {
		acts[i] = a.String()
	}
	return strings.Join(acts, "; ")
}

// ErrSyntax reports a text that is not a play.
var ErrSyntax = errors.New("is not a play")

// Parse returns the play that a text describes, in the form of String. The error is [ErrSyntax] if the
// text is not a play, or if an act is impossible at its place.
func Parse(text string) (Play, error) {
	var p Play
	for line := range strings.SplitSeq(text, ";") {
		a, err := parseAct(strings.Join(strings.Fields(line), " "))
		if err != nil {
			return nil, err
		}
		p = append(p, a)
		if !slices.Contains(p[:len(p)-1].Next(), a) {
			return nil, fmt.Errorf("%q %w: %q cannot come there", text, ErrSyntax, a)
		}
	}
	return p, nil
}

func parseAct(text string) (Act, error) {
	actor, rest, _ := strings.Cut(text, " ")
	for _, deed := range deeds {
		if object, ok := strings.CutPrefix(rest, string(deed)); ok {
			return Act{actor, deed, strings.TrimSpace(object)}, nil
		}
	}
	return Act{}, fmt.Errorf("%q %w: no such deed", text, ErrSyntax)
}

// Next returns the acts that are possible after the play, the simplest first.
func (p Play) Next() (acts []Act) {
	s := p.scene()
	for _, deed := range deeds {
		for _, actor := range s.names {
			for _, object := range s.objects(deed, actor) {
				if a := (Act{actor, deed, object}); s.allows(a) {
					acts = append(acts, a)
				}
			}
		}
	}
	return acts
}

// Living returns the processes that live at the end, the oldest first.
func (p Play) Living() []string {
	s := p.scene()
	return slices.DeleteFunc(s.names, func(name string) bool { return s.processes[name].ended })
}

// Children returns the processes that a process forks.
func (p Play) Children(actor string) (names []string) {
	for _, a := range p {
		if a.Who == actor && a.Deed == Forks {
			names = append(names, a.Whom)
		}
	}
	return names
}

// Whole returns the play with an exit added for each living process, the oldest first.
func (p Play) Whole() Play {
	whole := slices.Clone(p)
	for _, name := range p.Living() {
		whole = append(whole, Act{Who: name, Deed: Exits})
	}
	return whole
}

// Without returns the play without one act and without the acts that are impossible
// then: those of a child that is not forked, or the reaping of a living process.
func (p Play) Without(i int) Play {
	var rest Play
	names := map[string]string{"A": "A"} // in rest, by the names in p
	for j, a := range p {
		b := Act{names[a.Who], a.Deed, names[a.Whom]}
		if a.Deed == Forks {
			b.Whom = nameOf(len(names))
		}
		if j == i || !slices.Contains(rest.Next(), b) {
			continue
		}
		rest = append(rest, b)
		if a.Deed == Forks {
			names[a.Whom] = b.Whom
		}
	}
	return rest
}

// Smallest leaves out acts as long as the rest fails as well, and returns the rest.
func (p Play) Smallest(fails func(Play) bool) Play {
	for i := len(p) - 1; i >= 0; i-- {
		if smaller := p.Without(i); fails(smaller) {
			return smaller.Smallest(fails)
		}
	}
	return p
}

// nameOf returns the name of a process, given the number of those before it.
func nameOf(others int) string { return string(rune('A' + others)) }
