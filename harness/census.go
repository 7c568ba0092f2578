//go:build darwin || linux

package harness

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gemini-monitor/gemini/harness/internal/table"
)

// An Answer is the answer to the question whether a process of a tree lives.
type Answer int

// The answers. Unknown is not No: a process may live that no witness can see.
const (
	Unknown Answer = iota
	No
	Yes
)

func (a Answer) String() string { return [...]string{"unknown", "no", "yes"}[a] }

// GomegaString makes the failures of Gomega show the word.
func (a Answer) GomegaString() string { return a.String() }

// A Census is one look at a tree.
type Census struct {
	// Alive is Yes if a witness shows a living process of the tree, and No if a witness that
	// would see each one shows none. On Linux that is the warden, which adopts all orphans
	// of the tree. On macOS launchd adopts them; there the answer is No if each process that
	// began after the tree is known to belong to another one, or to another user: a test
	// that is not root's cannot see a descendant that changed its user and left its session.
	Alive Answer
	// Witness says in words what the answer comes from.
	Witness string
	// Members are the processes of the tree that were found, in ascending order of their
	// PIDs. If Alive is Yes, members that were not found may live as well.
	Members []Member
}

func (c Census) String() string {
	text := c.Alive.String() + ": " + c.Witness
	for _, m := range c.Members {
		text += "\n  " + m.String()
	}
	return text
}

// A Member is a living process of a tree.
type Member struct {
	PID, Parent, Group, Session int
	State                       byte   // the letter of ps: R, S, T, Z and others
	Command                     string // with arguments, as far as the system shows them
}

func (m Member) String() string {
	return fmt.Sprintf("PID %d, parent %d, group %d, session %d, %c: %s", m.PID, m.Parent, m.Group, m.Session, m.State, m.Command)
}

// Alive reports whether a process of the tree lives, the command included.
func (t *Tree) Alive() Answer { return t.Census().Alive }

// Members returns the living processes of the tree that can be found, the command
// included, in ascending order of their PIDs.
func (t *Tree) Members() []Member { return t.Census().Members }

// Census looks at the tree: it asks all witnesses whether a process of it lives. It fails
// the test if the process table cannot be read.
func (t *Tree) Census() Census {
	t.stage.t.Helper()
	census := t.census()
	t.track.record(Event{What: "asked: " + census.String()})
	return census
}

// census is Census without an event in the timeline.
func (t *tree) census() Census {
	t.stage.t.Helper()
	census, err := t.look()
	if err != nil {
		t.stage.t.Fatalf("%s", t.failure(err))
	}
	return census
}

// look asks the witnesses.
func (t *tree) look() (Census, error) {
	children, exact, err := t.process.guard.ask()
	if err != nil {
		return Census{}, err
	}
	if exact && !children {
		return Census{Alive: No, Witness: "the warden adopts all orphans and has no child"}, nil
	}
	c, err := t.glance(exact)
	if err == nil && c.Alive == No {
		return t.glance(exact) // one look at a table that changes proves nothing
	}
	return c, err
}

// glance looks at the table once.
func (t *tree) glance(exact bool) (Census, error) {
	all, err := table.All()
	if err != nil {
		return Census{}, err
	}
	seen := evidence{
		lives: !closed(t.process.exited),
		held:  t.oracle != nil && t.oracle.holds(),
		exact: exact,
		below: table.Below(all, t.process.guard.pid()),
	}
	if !exact {
		seen.marked = t.marked(all)
		seen.strangers = t.strangers(all)
	}
	return seen.judge(t, all), nil
}

// evidence is what the witnesses have said at one look.
type evidence struct {
	lives     bool // the command
	held      bool // the oracle
	exact     bool // the warden adopts all orphans of the tree
	below     []int
	marked    []int // by session, group, environment, arguments or an earlier look
	strangers []int // that may belong to the tree
}

// judge weighs the evidence.
func (e evidence) judge(t *tree, all map[int]table.Row) Census {
	found := slices.Concat(e.below, e.marked)
	slices.Sort(found)
	c := Census{Members: membersOf(living(slices.Compact(found), all), all)}
	switch {
	case e.lives:
		c.Alive, c.Witness = Yes, "the command is not reaped"
	case len(c.Members) > 0:
		c.Alive, c.Witness = Yes, fmt.Sprintf("%d of its processes found", len(c.Members))
	case e.held:
		c.Alive, c.Witness = Yes, "a process holds descriptor 3"
	case e.exact:
		c.Alive, c.Witness = Yes, "the warden has a child, which has ended meanwhile or is too new for the table"
	case len(e.strangers) > 0:
		c.Alive = Unknown
		c.Witness = "no orphan can be told from those of other programs here; these began after the tree: " + list(membersOf(e.strangers, all))
	default:
		c.Alive, c.Witness = No, "no process that began after the tree can belong to it"
	}
	return c
}

// list returns a few members as text.
func list(members []Member) string {
	const few = 5
	var words []string
	for _, m := range members[:min(few, len(members))] {
		words = append(words, fmt.Sprintf("%d (%s)", m.PID, brief(m.Command, 60)))
	}
	if len(members) > few {
		words = append(words, fmt.Sprintf("and %d more", len(members)-few))
	}
	return strings.Join(words, ", ")
}

// living returns those of the PIDs whose processes have not ended.
func living(pids []int, all map[int]table.Row) []int {
	return slices.DeleteFunc(pids, func(pid int) bool { return all[pid].Ended })
}

// membersOf returns the members with these PIDs.
func membersOf(pids []int, all map[int]table.Row) []Member {
	var members []Member
	for _, pid := range pids {
		r := all[pid]
		members = append(members, Member{PID: pid, Parent: r.Parent, Group: r.Group, Session: table.Session(r), State: r.State, Command: commandOf(r)})
	}
	return members
}

// commandOf returns the arguments of a process, or its name in parentheses.
func commandOf(r table.Row) string {
	if arguments, _ := table.Words(r.PID); len(arguments) > 0 {
		return brief(join(arguments), 300)
	}
	return "(" + r.Name + ")"
}
