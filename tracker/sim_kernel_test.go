package tracker

import (
	"errors"
	"slices"
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// simKernel is a kernel in memory that obeys xnu-facts.md, or the rules of the
// Linux proc connector. Nothing in it happens by itself: its scheduler says
// before each system call of the tracker, and before each row of a read is
// filled, which processes move on first.
type simKernel struct {
	flavour   process.Forks
	remembers bool // it says who made an orphan
	lastPID   int  // the PID given out last
	maxPID    int  // PIDs wrap here, to 2
	births    process.StartTime
	procs     []*simProc // in the table, newest first
	everybody []*simProc // also those that are gone
	knotes    []*simKnote
	events    []simEvent // of the connector, not yet taken
	overflow  int        // events that fit; 0 is no limit
	faults    int        // reads that may still fail
	refusals  int        // watches that may still be refused
	fail      func(left *int) bool
	belongs   func(*simProc) bool // the tracker was shown that it does

	// schedule is called at each point where others can get ahead of the
	// tracker, and returns when the tracker may go on. Patience is how long
	// the call waits for something to happen: zero for most.
	schedule func(patience time.Duration)
	story    func(format string, args ...any)
	now      time.Time

	// Where the tracker is: how far in its step, in which call, about whom.
	stage   byte
	kind    byte
	about   int
	patient bool
	rows    []process.Row // of the read under way: filled
	todo    []*simProc    // and not yet filled
}

// A simFlavour is a kind of kernel.
type simFlavour struct {
	forks   process.Forks
	lineage bool
}

var simFlavours = []simFlavour{{process.ForksAnnounced, false}, {process.ForksAnnounced, true}, {process.ForksNamed, false}, {process.ForksUnseen, false}}

func (f simFlavour) String() string {
	if f.lineage {
		return f.forks.String() + " and lineage is kept"
	}
	return f.forks.String()
}

// A simKnote watches one process, or what is left of it.
type simKnote struct {
	proc    *simProc
	pid     int
	start   process.StartTime // of the process that is watched
	pending process.Events
	gone    bool // its exit was delivered: dropped
}

// A simEvent is one message of the connector.
type simEvent struct {
	seamNotice
	lost bool
}

// stageRead is the stage of a step from its read on.
const stageRead = 100

var (
	errSimFault   = errors.New("no memory for the table")
	errSimRefused = errors.New("no permission to watch")
)

func newSimKernel(flavour simFlavour, maxPID int) *simKernel {
	return &simKernel{flavour: flavour.forks, remembers: flavour.lineage, lastPID: 1, maxPID: maxPID,
		now: time.Unix(1_000_000, 0), story: func(string, ...any) {}}
}

// spawn puts a process into the table.
func (k *simKernel) spawn(parent *simProc, program []simOp) *simProc {
	k.births++
	p := &simProc{kernel: k, start: k.births, program: program, state: simRunning}
	p.pid, _ = k.freePID()
	k.lastPID = p.pid
	p.pgid, p.sid, p.lease = p.pid, p.pid, false
	if parent != nil {
		p.parent, p.mother, p.maker = parent, parent, parent.start
		p.pgid, p.sid, p.lease, p.member = parent.pgid, parent.sid, parent.lease, parent.member
	}
	k.procs = slices.Insert(k.procs, 0, p)
	k.everybody = append(k.everybody, p)
	return p
}

// freePID returns the next PID that is neither a process's, zombies included,
// nor the id of a group or session that anybody is in (forkproc; xnu-facts 5.4).
// There may be none.
func (k *simKernel) freePID() (pid int, ok bool) {
	pid = k.lastPID
	for range k.maxPID {
		if pid++; pid > k.maxPID {
			pid = 2
		}
		used := slices.ContainsFunc(k.procs, func(p *simProc) bool {
			return p.pid == pid || p.pgid == pid || p.sid == pid
		})
		if !used {
			return pid, true
		}
	}
	return 0, false
}

// find is proc_find: it does not find the dead, and XNU's not the exiting.
func (k *simKernel) find(pid int) *simProc {
	for _, p := range k.procs {
		if p.pid == pid && p.state != simZombie && (p.state != simExiting || k.flavour != process.ForksAnnounced) {
			return p
		}
	}
	return nil
}

// post marks an event for all knotes of a process, or queues it for the
// connector. Events merge in a knote until they are taken.
func (k *simKernel) post(p *simProc, e process.Events, child *simProc) {
	if k.flavour == process.ForksNamed {
		n := seamNotice{PID: p.pid, Events: e}
		n.found.Start = p.start
		if child != nil {
			n.Child, n.found.Start = child.pid, child.start
		}
		if k.overflow > 0 && len(k.events) >= k.overflow {
			if last := len(k.events) - 1; !k.events[last].lost {
				k.events = append(k.events, simEvent{seamNotice{Lost: true}, true})
			}
			return
		}
		k.events = append(k.events, simEvent{n, false})
		return
	}
	if k.flavour == process.ForksUnseen && e != process.Exited {
		return
	}
	for _, kn := range k.knotes {
		if kn.proc == p && !kn.gone {
			kn.pending |= e
		}
	}
}

// reap takes a process out of the table for good. XNU posts NOTE_REAP then, which
// whoever was told of the exit does not wait for any more (xnu-facts 1.7).
func (k *simKernel) reap(p *simProc) {
	if k.flavour == process.ForksAnnounced {
		k.post(p, process.Exited, nil)
	}
	p.state = simGone
	k.procs = slices.DeleteFunc(k.procs, func(o *simProc) bool { return o == p })
}

// born returns the process with a start time, which no other has.
func (k *simKernel) born(at process.StartTime) *simProc {
	for _, p := range k.everybody {
		if p.start == at {
			return p
		}
	}
	return nil
}

// latest returns the last process that had a PID.
func (k *simKernel) latest(pid int) *simProc {
	for _, p := range slices.Backward(k.everybody) {
		if p.pid == pid {
			return p
		}
	}
	return nil
}
