//go:build darwin || linux

package main

import (
	"errors"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// A mutant is a monitor with a fault.
type mutant struct {
	name  string
	fault string
	// watch calls ready when it is ready, and returns when it takes the runtime
	// for empty. After an error the runtime stays.
	watch func(w *watch, ready func()) error
	// start, if there is one, starts the command as a child and ends with it.
	start func(m mutant, runtime, program string, argv []string) error

	staysInGroup     bool // the monitor is in the command's process group and session
	keepsDescriptors bool // the monitor keeps what it inherited
}

// control is the name of the one without a fault. It has to pass all that kills
// another, or the frame that all share is what was killed.
const control = "right"

var mutants = []mutant{
	{name: control, fault: "none: table and lease together", watch: right},
	{name: "at-once", fault: "finds nobody before the command is there, and deletes", watch: atOnce},
	{name: "root-only", fault: "waits for the owner alone", watch: rootOnly},
	{name: "walk-late", fault: "looks for descendants of the owner when that is dead", watch: walkLate},
	{name: "group", fault: "counts the owner's process group", watch: groupOnly},
	{name: "session", fault: "counts the owner's session", watch: sessionOnly, start: startSession},
	{name: "kill-0", fault: "asks kill(pid, 0) who lives", watch: killZero},
	{name: "bare-pid", fault: "knows processes by PID, not by start time", watch: barePID},
	{name: "poll", fault: "reads the table every 100 ms and is told nothing", watch: pollTable},
	{name: "late", fault: "looks at table and lease every 100 ms", watch: lookLate},
	{name: "snapshot", fault: "waits for those who were there at one moment", watch: snapshotOnce},
	{name: "lease-only", fault: "trusts the lease, without a table", watch: leaseOnly},
	{name: "table-only", fault: "trusts parents in the table, without a lease", watch: tableOnly},
	{name: "sigterm", fault: "deletes when it is told to stop", watch: deletesWhenStopped},
	{name: "in-group", fault: "lives in the command's process group and session", watch: right, staysInGroup: true},
	{name: "descriptors", fault: "keeps the command's descriptors open", watch: right, keepsDescriptors: true},
	{name: "status", fault: "stays around the command and exits 0", watch: right, start: startCareless},
	{name: "never", fault: "never deletes", watch: never},
}

// beat is how often those look who are told nothing.
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

// startSession gives the command a session of its own, as setsid(1) does, unless
// it has one: only then does the session say anything.
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

// startCareless tells nobody how the command has ended.
func startCareless(m mutant, runtime, program string, argv []string) error {
	child, err := startChild(m, runtime, program, argv, nil)
	if err != nil {
		return err
	}
	passSignals(child.Process)
	child.Wait()
	return nil
}

// killZero takes a zombie for alive.
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

// lookLate is never wrong, and late.
func lookLate(w *watch, ready func()) error {
	ready()
	kin := w.kin(true)
	return w.poll(beat, func(live []process.Process) []process.Process {
		if members := kin(live); len(members) > 0 || w.leaseFree() {
			return members
		}
		return []process.Process{w.root} // somebody who cannot be seen
	})
}

// snapshotOnce takes the owner and the first that it has made.
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

// deletesWhenStopped cleans up when it goes, as a tidy program does.
func deletesWhenStopped(w *watch, ready func()) error {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM)
	ready()
	empty := make(chan error, 1)
	go func() { empty <- right(w, func() {}) }()
	select {
	case <-told:
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
