package simkernel

import (
	"fmt"
	"slices"

	"github.com/gemini-monitor/gemini/internal/rehearsal"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// A Process is a process of the simulated kernel: a list of things to do, one
// small step after the other.
type Process struct {
	kernel      *Kernel
	index       int // in All
	name        string
	PID         int
	start       process.StartTime
	parent      *Process          // nil stands for init; a debugger while one traces it
	Real        int               // the PID of its parent while a debugger traces it, or 0
	mother      *Process          // the process that made it
	maker       process.StartTime // its maker, as the kernel reports; start times are never used again
	lineageSeen process.StartTime // what the tracker learned of that first; 0 is nothing yet
	pgid        int
	sid         int
	state       State
	program     []Op
	at          int      // the next of the program
	phase       int      // how far the present one is
	Member      bool     // it belongs to the tree: the truth
	Lease       bool     // it holds the lease
	Neighbour   bool     // it belongs to the other tree that the tracker follows
	Guest       bool     // it has asked to join the tree, or descends from one that has
	Asks        bool     // it waits for the answer
	Considered  bool     // by the tracker, since its last step
	secret      bool     // it is another user's
	marks       []string // in its environment
	withholds   bool     // it runs a program whose environment may not be read
	programs    byte     // that it has begun to run, where that shows
	noWait      bool     // its children are reaped by the kernel
	orphan      bool     // re-parented: the kernel reaps it
	child       *Process // being made
	owes        bool     // the notice of its exit, though it is dead

	// What the tracker was shown of it: the exploration judges by that.
	underMother  bool  // a row with the parent that made it
	ids          []int // the groups and sessions of its rows as an orphan
	named        bool  // a notice of its birth
	lineageShown bool  // a row as an orphan, with its maker
	rowSeen      bool  // a row
	markShown    bool  // its environment, with a mark
	known        bool  // the journal that the tracker began with, or the tracker admitted it
}

// between reports whether it has left one program and not begun the next.
func (p *Process) between() bool {
	return p.state == Running && p.phase > 0 && p.op().Verb == OpReplace
}

// forgedMark is the mark of no tree.
const forgedMark = "forged"

// marked reports whether a mark in its environment is that of a tree.
func (p *Process) marked() bool {
	return slices.ContainsFunc(p.marks, func(mark string) bool { return mark != forgedMark })
}

// initStart stands for init as a maker.
const initStart = -1

// show remembers the group and session of a row that the tracker was shown.
func (p *Process) show(row process.Row) {
	if row.Parent == 1 {
		p.lineageShown = p.lineageShown || row.Lineage.Parent != 0
	}
	for _, id := range []int{row.Group, row.Session} {
		if row.Parent == 1 && id != 0 && id != p.PID && !slices.Contains(p.ids, id) {
			p.ids = append(p.ids, id)
		}
	}
}

// A State is how far a process is on its way from fork to gone.
type State uint8

const (
	Running State = iota
	Newborn       // in the table, not allowed to run yet
	Exiting
	Zombie
	Gone
)

// An Op is one thing that a process does.
type Op struct {
	Verb  Verb
	Name  string // of the child
	Child []Op   // what the child does
}

// A Verb is what an Op does.
type Verb uint8

const (
	OpExit     Verb = iota // also at the end of every program
	OpFork                 // make a child
	OpForkExit             // one thread forks while another exits
	OpSpawnBad             // posix_spawn of a program that is not there
	OpSetsid
	OpSetpgid // a group of its own
	OpExec
	OpReplace   // exec, with a moment in which no environment is shown
	OpForge     // exec a program with a mark of no tree
	OpClose     // close the lease
	OpDaemon    // close the lease and make a session
	OpWait      // reap one child; wait for it
	OpReap      // have the kernel reap all children (SIGCHLD ignored)
	OpSetuid    // exec a program that runs as another user
	OpScrub     // exec a program without an environment
	OpOverwrite // overwrite the environment
	OpWithhold  // exec a program whose environment may not be read
	OpReveal    // exec one whose environment may be read
	OpStay      // live on
	OpJoinGroup // enter the group of the tree's root, from the same session
	OpAttach    // begin to trace the process with that name (XNU)
	OpDetach    // and leave it alone again
	OpAsk       // take the lease and ask to join the tree; it does not wait for the answer
	OpFollowed  // wait until the tracker has begun with the tree
)

// Fork makes a child, which does the listed Ops.
func Fork(name string, child ...Op) Op { return Op{OpFork, name, child} }

// ForkExiting makes a child in one thread while another one exits.
func ForkExiting(name string, child ...Op) Op { return Op{OpForkExit, name, child} }

// Do returns an Op that needs no more than its verb.
func Do(what Verb) Op { return Op{Verb: what} }

// Attach begins to trace the process with that name.
func Attach(name string) Op { return Op{Verb: OpAttach, Name: name} }

// Stay is the Op of a process that lives on.
var Stay = Do(OpStay)

// String returns name and PID.
func (p *Process) String() string { return fmt.Sprintf("%s(%d)", p.name, p.PID) }

// Identity returns its identity.
func (p *Process) Identity() process.Identity {
	return process.Identity{PID: p.PID, Start: p.start, Boot: "sim"}
}

// Alive is the oracle: it can still run code of its own or finish a fork.
func (p *Process) Alive() bool {
	switch p.state {
	case Running, Newborn:
		return true
	case Exiting:
		return p.phase < phaseClosed
	}
	return false
}

// listed reports whether a read finds it. One that the kernel is about to reap
// itself is waited for by the read, and missed (docs/xnu.md X16).
func (p *Process) listed() bool { return p.state != Gone }

// hidden reports whether the table hides it.
func (p *Process) hidden() bool { return p.secret && p.kernel.Hides }

// hiddenRow is what the table shows of a hidden process whose parent is not hidden.
func (p *Process) hiddenRow() process.Row {
	row := p.row()
	row.Start, row.Command, row.State, row.Hidden = 0, process.Name{}, process.Running, true
	return row
}

// lineageRow is a row with its lineage: each process is asked for once.
func (p *Process) lineageRow() process.Row {
	row := p.row()
	p.rowSeen = true
	if p.kernel.Remembers {
		if p.lineageSeen == 0 {
			p.lineageSeen = p.maker
		}
		row.Lineage = process.Lineage{Self: uint64(p.start), Parent: uint64(p.lineageSeen)}
	}
	return row
}

func (p *Process) row() process.Row {
	row := process.Row{Process: process.Process{Identity: p.Identity(), Parent: 1, Group: p.pgid, Session: p.sid, Command: rehearsal.Name(p.name)}}
	if p.parent != nil {
		row.Parent = p.parent.PID
	}
	if p.Real != 0 {
		row.Parent, row.Tracer = p.Real, p.parent.PID
	}
	row.Command[len(row.Command)-1] = p.programs
	switch p.state {
	case Exiting:
		row.State, row.Session = process.Exiting, 0 // getsid finds only the living
	case Zombie:
		row.State, row.Session = process.Zombie, 0
	}
	if p.kernel.Flavour != process.ForksAnnounced {
		row.Session = p.sid // /proc shows it for all
		if row.State == process.Exiting {
			row.State = process.Running // and has no state for exiting
		}
	}
	return row
}
