package tracker

import (
	"fmt"
	"slices"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// A simProc is a process of the simulated kernel: a list of things to do, one
// small step after the other.
type simProc struct {
	kernel      *simKernel
	name        string
	pid         int
	start       process.StartTime
	parent      *simProc          // nil stands for init; a debugger while one traces it
	real        int               // the PID of its parent while a debugger traces it, or 0
	mother      *simProc          // who made it
	maker       process.StartTime // who made it, as the kernel tells; start times are never used again
	lineageSeen process.StartTime // what the tracker was told of that first; 0 is nothing yet
	pgid        int
	sid         int
	state       simState
	program     []simOp
	at          int      // the next of the program
	phase       int      // how far the present one is
	member      bool     // it belongs to the tree: the truth
	lease       bool     // it holds the lease
	noWait      bool     // its children are reaped by the kernel
	orphan      bool     // re-parented: the kernel reaps it
	child       *simProc // being made
	owes        bool     // the notice of its exit, though it is dead

	// What the tracker was shown of it, for the exploration's own opinion.
	underMother  bool  // a row with the parent that made it
	ids          []int // the groups and sessions of its rows as an orphan
	named        bool  // a notice of its birth
	lineageShown bool  // a row as an orphan, with who made it
}

// initStart stands for init as a maker.
const initStart = -1

// show remembers the group and session of a row that the tracker was shown.
func (p *simProc) show(row process.Row) {
	if row.Parent == 1 {
		p.lineageShown = p.lineageShown || row.Lineage.Parent != 0
	}
	for _, id := range []int{row.Group, row.Session} {
		if row.Parent == 1 && id != 0 && id != p.pid && !slices.Contains(p.ids, id) {
			p.ids = append(p.ids, id)
		}
	}
}

type simState uint8

const (
	simRunning simState = iota
	simNew              // in the table, not allowed to run yet
	simExiting
	simZombie
	simGone
)

// A simOp is one thing that a process does.
type simOp struct {
	what  simWhat
	name  string  // of the child
	child []simOp // what the child does
}

type simWhat uint8

const (
	opExit     simWhat = iota // also at the end of every program
	opFork                    // make a child
	opForkExit                // one thread forks while another exits
	opSpawnBad                // posix_spawn of a program that is not there
	opSetsid
	opSetpgid // a group of its own
	opExec
	opClose     // let the lease go
	opDaemon    // let the lease go and make a session
	opWait      // reap one child; wait for it
	opReap      // have the kernel reap all children (SIGCHLD ignored)
	opStay      // live on
	opJoinGroup // enter the group of the tree's root, from the same session
	opAttach    // begin to trace the process with that name (XNU)
	opDetach    // and leave it alone again
)

func fork(name string, child ...simOp) simOp { return simOp{opFork, name, child} }

func op(what simWhat) simOp { return simOp{what: what} }

func attach(name string) simOp { return simOp{what: opAttach, name: name} }

func (p *simProc) String() string { return fmt.Sprintf("%s(%d)", p.name, p.pid) }

func (p *simProc) identity() process.Identity {
	return process.Identity{PID: p.pid, Start: p.start, Boot: "sim"}
}

// alive is the oracle: it can still run code of its own or finish a fork.
func (p *simProc) alive() bool {
	switch p.state {
	case simRunning, simNew:
		return true
	case simExiting:
		return p.phase < phaseClosed
	}
	return false
}

// listed tells whether a read finds it. One that the kernel is about to reap
// itself is waited for by the read, and missed (xnu-facts 3.2).
func (p *simProc) listed() bool { return p.state != simGone }

// lineageRow is a row with its lineage: each process is asked for once.
func (p *simProc) lineageRow() process.Row {
	row := p.row()
	if p.kernel.remembers {
		if p.lineageSeen == 0 {
			p.lineageSeen = p.maker
		}
		row.Lineage = process.Lineage{Self: uint64(p.start), Parent: uint64(p.lineageSeen)}
	}
	return row
}

func (p *simProc) row() process.Row {
	row := process.Row{Process: process.Process{Identity: p.identity(), Parent: 1, Group: p.pgid, Session: p.sid, Command: programName(p.name)}}
	if p.parent != nil {
		row.Parent = p.parent.pid
	}
	if p.real != 0 {
		row.Parent, row.Tracer = p.real, p.parent.pid
	}
	switch p.state {
	case simExiting:
		row.State, row.Session = process.Exiting, 0 // getsid finds only the living
	case simZombie:
		row.State, row.Session = process.Zombie, 0
	}
	if p.kernel.flavour != process.ForksAnnounced {
		row.Session = p.sid // /proc says it of all
		if row.State == process.Exiting {
			row.State = process.Running // and does not speak of exiting
		}
	}
	return row
}
