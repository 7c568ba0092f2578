package simkernel

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// A Kernel is a kernel in memory that obeys docs/xnu.md, or the rules of the
// Linux proc connector. Nothing in it happens by itself: its scheduler decides
// before each system call of the tracker, and before each row of a read is
// filled, which processes move on first.
type Kernel struct {
	Flavour   process.Forks
	Remembers bool // it names the maker of an orphan
	lastPID   int  // the PID given out last
	maxPID    int  // PIDs wrap here, to 2
	births    process.StartTime
	Listed    []*Process // in the table, newest first
	All       []*Process // also those that are gone
	knotes    []*knote
	events    []event // of the connector, not yet taken
	Overflow  int     // events that fit; 0 is no limit
	Drops     int     // events that may still be dropped without a word
	Marked    bool    // processes have marks in their environments
	Hides     bool    // the table hides the processes of other users
	ShowsInit bool    // but not init, so that a read shows whether one is hidden
	Faults    int     // reads that may still fail
	Refusals  int     // watches that may still be refused
	Fail      func(left *int) bool
	Belongs   func(*Process) bool // the tracker was shown that it does

	// Schedule is called at each point where others can get ahead of the
	// tracker, and returns when the tracker may go on. Patience is how long
	// the call waits for something to happen: zero for most.
	Schedule func(patience time.Duration)
	Story    func(format string, args ...any)
	Now      time.Time

	// Misread, if set, is what the tracker takes an answer of Marks for: a wrong way to ask.
	Misread func(marks []string, err error) ([]string, error)

	// Where the tracker is: how far in its step, in which call, about which process.
	Stage   byte
	kind    byte
	about   int
	patient bool
	rows    []process.Row // of the read under way: filled
	todo    []*Process    // and not yet filled
	parents []*Process    // whose hidden children are not yet looked for; nil stands for init
	hid     bool          // a hidden child was found

	neighbour int // the index of the root of the other tree, if there is one

	// Of trackers that die and begin.
	lives   int           // trackers that have died
	deaf    bool          // no tracker is there
	begins  bool          // a tracker is about to begin
	lookups []process.Row // that it has made so far; no row for a process that is gone
}

// A Flavour is a kind of kernel.
type Flavour struct {
	Forks   process.Forks
	Lineage bool
}

// Flavours are all kinds of kernels.
var Flavours = []Flavour{{process.ForksAnnounced, false}, {process.ForksAnnounced, true}, {process.ForksNamed, false}, {process.ForksUnseen, false}}

// String returns what the kernel reports of forks and lineage.
func (f Flavour) String() string {
	if f.Lineage {
		return f.Forks.String() + " and lineage is kept"
	}
	return f.Forks.String()
}

// A knote watches one process, or what is left of it.
type knote struct {
	proc    *Process
	pid     int
	start   process.StartTime // of the process that is watched
	pending process.Events
	gone    bool // its exit was delivered: dropped
}

// An event is one message of the connector.
type event struct {
	core.Notice
	lost bool
}

// stageRead is the stage of a step from its read on.
const stageRead = 100

var (
	errHides   = fmt.Errorf("the table hides processes: %w", fs.ErrPermission)
	errFault   = errors.New("no memory for the table")
	errRefused = errors.New("no permission to watch")
)

// New returns a kernel without processes. PIDs wrap at maxPID.
func New(flavour Flavour, maxPID int) *Kernel {
	return &Kernel{Flavour: flavour.Forks, Remembers: flavour.Lineage, lastPID: 1, maxPID: maxPID,
		Now: time.Unix(1_000_000, 0), Story: func(string, ...any) {}}
}

// spawn puts a process into the table.
func (k *Kernel) spawn(parent *Process, program []Op) *Process {
	k.births++
	p := &Process{kernel: k, index: len(k.All), start: k.births, program: program, state: Running}
	p.PID, _ = k.freePID()
	k.lastPID = p.PID
	p.pgid, p.sid, p.Lease = p.PID, p.PID, false
	if parent != nil {
		p.parent, p.mother, p.maker = parent, parent, parent.start
		p.pgid, p.sid, p.Lease, p.Member, p.secret = parent.pgid, parent.sid, parent.Lease, parent.Member, parent.secret
		p.Neighbour, p.Guest = parent.Neighbour, parent.Guest
		p.marks, p.withholds, p.programs = parent.marks, parent.withholds, parent.programs
	}
	k.Listed = slices.Insert(k.Listed, 0, p)
	k.All = append(k.All, p)
	return p
}

// freePID returns the next PID that is neither a process's, zombies included,
// nor the id of a group or session that a process is in (forkproc; docs/xnu.md X24).
// There may be none.
func (k *Kernel) freePID() (pid int, ok bool) {
	pid = k.lastPID
	for range k.maxPID {
		if pid++; pid > k.maxPID {
			pid = 2
		}
		used := slices.ContainsFunc(k.Listed, func(p *Process) bool {
			return p.PID == pid || p.pgid == pid || p.sid == pid
		})
		if !used {
			return pid, true
		}
	}
	return 0, false
}

// find is proc_find: it does not find the dead, and XNU's not the exiting.
func (k *Kernel) find(pid int) *Process {
	for _, p := range k.Listed {
		if p.PID == pid && p.state != Zombie && (p.state != Exiting || k.Flavour != process.ForksAnnounced) {
			return p
		}
	}
	return nil
}

// post marks an event for all knotes of a process, or queues it for the
// connector. Events merge in a knote until they are taken.
func (k *Kernel) post(p *Process, e process.Events, child *Process) {
	if k.deaf {
		return
	}
	if k.Flavour == process.ForksNamed {
		n := core.Notice{PID: p.PID, Events: e}
		n.Found.Start = p.start
		if child != nil {
			n.Child, n.Found.Start = child.PID, child.start
		}
		if k.Overflow > 0 && len(k.events) >= k.Overflow {
			if last := len(k.events) - 1; !k.events[last].lost {
				k.events = append(k.events, event{core.Notice{Lost: true}, true})
			}
			return
		}
		k.events = append(k.events, event{n, false})
		return
	}
	if k.Flavour == process.ForksUnseen && e != process.Exited {
		return
	}
	for _, kn := range k.knotes {
		if kn.proc == p && !kn.gone {
			kn.pending |= e
		}
	}
}

// A Dropper is a kernel that has no memory for an event of the connector: its step drops
// the latest one that is not taken yet, without a word (docs/linux.md L40).
type Dropper struct{ kernel *Kernel }

// Dropper returns the dropper, if it can take a step now.
func (k *Kernel) Dropper() (d Dropper, ok bool) {
	last := len(k.events) - 1
	return Dropper{k}, k.Drops > 0 && last >= 0 && !k.events[last].lost
}

// Step drops an event.
func (d Dropper) Step() {
	k := d.kernel
	last := len(k.events) - 1
	k.Story("the event of %d %s is dropped", k.events[last].PID, k.events[last].Events)
	k.events = k.events[:last:last]
	k.Drops--
}

// After returns a copy of the kernel in which the dropper has taken its step.
func (d Dropper) After() *Kernel {
	n := d.kernel.Clone()
	Dropper{n}.Step()
	return n
}

// reap takes a process out of the table for good. XNU posts NOTE_REAP then;
// a knote that has delivered the exit is gone and does not get it (docs/xnu.md X8).
func (k *Kernel) reap(p *Process) {
	if k.Flavour == process.ForksAnnounced {
		k.post(p, process.Exited, nil)
	}
	p.state = Gone
	k.Listed = slices.DeleteFunc(k.Listed, func(o *Process) bool { return o == p })
}

// born returns the process with a start time, which no other has.
func (k *Kernel) born(at process.StartTime) *Process {
	for _, p := range k.All {
		if p.start == at {
			return p
		}
	}
	return nil
}

// latest returns the last process that had a PID.
func (k *Kernel) latest(pid int) *Process {
	for _, p := range slices.Backward(k.All) {
		if p.PID == pid {
			return p
		}
	}
	return nil
}
