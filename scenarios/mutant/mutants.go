//go:build darwin || linux

package main

import (
	"errors"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
	"golang.org/x/sys/unix"
)

// A mutant is a monitor with a fault.
type mutant struct {
	name  string
	fault string
	// watch calls ready when it is ready, and returns when it takes the runtime
	// for empty. After an error the runtime stays.
	watch func(w *watch, ready func()) error
	// start, if it is set, starts the command as a child and ends with it.
	start func(m mutant, runtime, program string, argv []string) error

	staysInGroup     bool // the monitor is in the command's process group and session
	keepsDescriptors bool // the monitor keeps what it inherited
	believesName     bool // run takes MONITOR_RUNTIME for the runtime that it is in, and makes none
	crossesMounts    bool // removing deletes what is mounted in the runtime
	sweepsAtStart    bool // run removes the runtimes whose owners are dead
	keepsHigh        bool // it closes the usual numbers of what it inherited only

	// resident: one process monitors all runtimes, and another one guards it. The faults of
	// such a monitor follow.
	resident       bool
	forgets        bool // a resident that starts takes over all runtimes but one
	believesSender bool // the owner of a runtime is the PID in the message
	guardGivesUp   bool // the guard does not start a resident that was killed

	// labels selects the scenarios for a mutant whose fault shows in few.
	labels string
}

// besides is the labels of the scenarios about residents. The other ones find faults of
// the resident without one too: it takes over by the lease alone, for example.
const besides = "pairs || containers"

// control is the name of the mutant without a fault, and begins that of the resident
// without one. They must pass all scenarios: a scenario that kills one finds a fault in the
// code that mutants share.
const control = "right"

var mutants = []mutant{
	{name: control, fault: "none: table and lease together", watch: right},
	{name: "at-once", fault: "finds no process before the command exists, and deletes", watch: atOnce},
	{name: "root-only", fault: "waits for the owner alone", watch: rootOnly},
	{name: "walk-late", fault: "reads the descendants of the owner after its death", watch: walkLate},
	{name: "group", fault: "counts the owner's process group", watch: groupOnly},
	{name: "session", fault: "counts the owner's session", watch: sessionOnly, start: startSession},
	{name: "kill-0", fault: "takes a PID for alive if kill(pid, 0) succeeds", watch: killZero},
	{name: "bare-pid", fault: "knows processes by PID, not by start time", watch: barePID},
	{name: "poll", fault: "reads the table every 100 ms, without notices", watch: pollTable},
	{name: "late", fault: "reads table and lease every 100 ms, without notices", watch: readLate},
	{name: "snapshot", fault: "waits for the members of one moment", watch: snapshotOnce},
	{name: "lease-only", fault: "trusts the lease, without a table", watch: leaseOnly},
	{name: "table-only", fault: "trusts parents in the table, without a lease", watch: tableOnly},
	{name: "sigterm", fault: "deletes at SIGTERM", watch: deletesWhenStopped},
	{name: "in-group", fault: "lives in the command's process group and session", watch: right, staysInGroup: true},
	{name: "descriptors", fault: "keeps the command's descriptors open", watch: right, keepsDescriptors: true},
	{name: "believes", fault: "takes the name in MONITOR_RUNTIME for the runtime that it is in", watch: right, believesName: true},
	{name: "mounts", fault: "deletes what is mounted in the runtime too", watch: right, crossesMounts: true},
	{name: "gives-up", fault: "stops watching when it cannot write its journal", watch: givesUp},
	{name: "sweeps", fault: "removes runtimes whose owners are dead before it starts one", watch: right, sweepsAtStart: true},
	{name: "high-descriptors", fault: "keeps inherited descriptors from 10 up", watch: right, keepsHigh: true},
	{name: "status", fault: "stays around the command and exits 0", watch: right, start: startCareless},
	{name: "never", fault: "never deletes", watch: never},
	{name: control + "-resident", fault: "none: one process for all runtimes, and a guard", watch: right, resident: true, labels: besides},
	{name: "forgets", fault: "forgets one runtime when its one process for all is started anew", watch: right, resident: true, forgets: true, labels: besides},
	{name: "believes-sender", fault: "believes the PID in a message", watch: right, resident: true, believesSender: true, labels: besides},
	{name: "guard-gives-up", fault: "has a guard that does not start it anew", watch: right, resident: true, guardGivesUp: true, labels: besides},
}

// beat is the time between two reads of the mutants without notices.
const beat = 100 * time.Millisecond

func find(name string) (mutant, bool) {
	i := slices.IndexFunc(mutants, func(m mutant) bool { return m.name == name })
	if i < 0 {
		return mutant{}, false
	}
	return mutants[i], true
}

func right(w *watch, ready func()) error {
	ready()
	if err := w.follow(w.kin(true)); err != nil {
		return err
	}
	return w.awaitLease()
}

func atOnce(w *watch, ready func()) error {
	ready()
	return nil
}

func rootOnly(w *watch, ready func()) error {
	ready()
	return w.follow(w.rootAlone())
}

func walkLate(w *watch, ready func()) error {
	ready()
	if err := w.follow(w.rootAlone()); err != nil {
		return err
	}
	return w.follow(w.descendants())
}

func groupOnly(w *watch, ready func()) error {
	ready()
	return w.follow(w.group())
}

func sessionOnly(w *watch, ready func()) error {
	ready()
	return w.follow(w.session())
}

// startSession gives the command a session of its own, as setsid(1) does, unless it
// leads one. Without that the session would have other processes too.
func startSession(m mutant, runtime, program string, argv []string) error {
	attr := &syscall.SysProcAttr{}
	if leader, err := unix.Getsid(0); err != nil || leader != os.Getpid() {
		attr.Setsid = true
	}
	child, err := startChild(m, runtime, program, argv, attr)
	if err != nil {
		return err
	}
	passSignals(child.Process)
	child.Wait()
	endAs(child.ProcessState)
	return nil
}

// startCareless starts the command as a child and drops its exit status.
func startCareless(m mutant, runtime, program string, argv []string) error {
	child, err := startChild(m, runtime, program, argv, nil)
	if err != nil {
		return err
	}
	passSignals(child.Process)
	child.Wait()
	return nil
}

// killZero is wrong about zombies: kill(pid, 0) succeeds for them.
func killZero(w *watch, ready func()) error {
	ready()
	members, kin := map[int]bool{w.root.PID: true}, w.kin(true)
	alive := func(live []process.Process) []process.Process {
		for _, p := range kin(live) {
			members[p.PID] = true
		}
		var answering []process.Process
		for pid := range members {
			if syscall.Kill(pid, 0) == nil {
				answering = append(answering, process.Process{Identity: process.Identity{PID: pid}})
			} else {
				delete(members, pid)
			}
		}
		return answering
	}
	if err := w.poll(20*time.Millisecond, alive); err != nil {
		return err
	}
	return w.awaitLease()
}

func barePID(w *watch, ready func()) error {
	ready()
	if err := w.follow(w.kinByPID()); err != nil {
		return err
	}
	return w.awaitLease()
}

func pollTable(w *watch, ready func()) error {
	ready()
	return w.poll(beat, w.kin(true))
}

// readLate is never wrong, but late.
func readLate(w *watch, ready func()) error {
	ready()
	kin := w.kin(true)
	return w.poll(beat, func(live []process.Process) []process.Process {
		if members := kin(live); len(members) > 0 || w.leaseFree() {
			return members
		}
		return []process.Process{w.root} // stands for the holder of the lease
	})
}

// snapshotOnce chooses the owner and its first descendants.
func snapshotOnce(w *watch, ready func()) error {
	ready()
	var snapshot []process.Process
	first := func(live []process.Process) []process.Process {
		snapshot = w.descendants()(live)
		if len(snapshot) > 1 {
			return nil
		}
		return snapshot
	}
	if err := w.follow(first); err != nil {
		return err
	}
	return w.follow(w.these(snapshot))
}

func leaseOnly(w *watch, ready func()) error {
	ready()
	return w.awaitLease()
}

func tableOnly(w *watch, ready func()) error {
	ready()
	return w.follow(w.kin(false))
}

// deletesWhenStopped removes the runtime when it is terminated.
func deletesWhenStopped(w *watch, ready func()) error {
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)
	ready()
	empty := make(chan error, 1)
	go func() { empty <- right(w, func() {}) }()
	select {
	case <-terminated:
		return nil
	case err := <-empty:
		return err
	}
}

var errNever = errors.New("it stays")

func never(w *watch, ready func()) error {
	ready()
	return errors.Join(w.follow(w.rootAlone()), errNever)
}
