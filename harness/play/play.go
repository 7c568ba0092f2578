// Package play is a language for what a few processes do, one after the other:
//
//	A forks B; B leads a session; B forks C; B exits; A reaps B; A exits; C exits
//
// A is there at the beginning and descends from nobody in the play. Scenarios
// play it on real processes, the explorer of the tracker on a simulated kernel.
package play

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Deed is what a process does.
type Deed string

// The deeds. Forks and Reaps have somebody as their object.
const (
	Exits        Deed = "exits"
	Dies         Deed = "dies" // is killed
	Forks        Deed = "forks"
	Reaps        Deed = "reaps" // waits for a child that has ended
	LeadsGroup   Deed = "leads a group"
	LeadsSession Deed = "leads a session"
	Execs        Deed = "execs"
	LetsGo       Deed = "lets go" // closes all descriptors that it inherited
)

var deeds = []Deed{Exits, Dies, Forks, Reaps, LeadsGroup, LeadsSession, Execs, LetsGo}

// An Act is one deed of one process.
type Act struct {
	Who  string // a capital letter
	Deed Deed
	Whom string // whom Who forks or reaps
}

func (a Act) String() string {
	return strings.TrimSpace(a.Who + " " + string(a.Deed) + " " + a.Whom)
}

// Ends reports whether the one who acts has ended afterwards.
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

// ErrSyntax reports a text that is no play.
var ErrSyntax = errors.New("is no play")

// Parse reads what String writes. The error is [ErrSyntax] if the text makes no
// play, or one in which an act cannot come where it stands.
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
	who, rest, _ := strings.Cut(text, " ")
	for _, deed := range deeds {
		if whom, ok := strings.CutPrefix(rest, string(deed)); ok {
			return Act{who, deed, strings.TrimSpace(whom)}, nil
		}
	}
	return Act{}, fmt.Errorf("%q %w: nobody can do that", text, ErrSyntax)
}

// Next returns the acts that may come next, the simplest first.
func (p Play) Next() (acts []Act) {
	s := p.scene()
	for _, deed := range deeds {
		for _, who := range s.cast {
			for _, whom := range s.objects(deed, who) {
				if a := (Act{who, deed, whom}); s.allows(a) {
					acts = append(acts, a)
				}
			}
		}
	}
	return acts
}

// Living returns who lives at the end, the oldest first.
func (p Play) Living() []string {
	s := p.scene()
	return slices.DeleteFunc(s.cast, func(name string) bool { return s.people[name].ended })
}

// Children returns whom a process has forked.
func (p Play) Children(who string) (names []string) {
	for _, a := range p {
		if a.Who == who && a.Deed == Forks {
			names = append(names, a.Whom)
		}
	}
	return names
}

// Whole returns the play with an end for everybody, the oldest first.
func (p Play) Whole() Play {
	whole := slices.Clone(p)
	for _, name := range p.Living() {
		whole = append(whole, Act{Who: name, Deed: Exits})
	}
	return whole
}

// Without returns the play without one act and without all that makes no sense
// then: what a child does that is not born, or the reaping of one who lives.
func (p Play) Without(i int) Play {
	var rest Play
	names := map[string]string{"A": "A"} // now, by those in p
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

// Smallest leaves out what it can as long as the rest fails too.
func (p Play) Smallest(fails func(Play) bool) Play {
	for i := len(p) - 1; i >= 0; i-- {
		if smaller := p.Without(i); fails(smaller) {
			return smaller.Smallest(fails)
		}
	}
	return p
}

// nameOf is what the process is called that is born after so many others.
func nameOf(others int) string { return string(rune('A' + others)) }
