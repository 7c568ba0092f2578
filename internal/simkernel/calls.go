package simkernel

import (
	"slices"
	"time"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// The tracker's side: the system calls that it makes of the simulated kernel.

// Forks implements [core.Kernel].
func (k *Kernel) Forks() process.Forks { return k.Flavour }

// Inherit implements [core.Kernel].
func (k *Kernel) Inherit() {}

// Alone implements [core.Kernel]. Linux alone can tell.
func (k *Kernel) Alone(row process.Row) bool {
	k.call('o', row.PID, 0)
	p := k.find(row.PID)
	return k.Flavour != process.ForksAnnounced && p != nil && !slices.ContainsFunc(k.Listed, func(o *Process) bool {
		return o.listed() && o != p && (o.parent == p || o.pgid == p.PID || o.sid == p.PID)
	})
}

// Marks implements [core.Kernel].
func (k *Kernel) Marks(row process.Row) ([]string, time.Duration, error) {
	k.call('m', row.PID, 0)
	marks, err := k.environmentOf(row)
	if k.Misread != nil {
		marks, err = k.Misread(marks, err)
	}
	return marks, 0, err
}

// environmentOf returns the marks in the environment of a process. An environment of which
// the kernel shows a part, because the memory changes while it is read, is none that was
// read: process.ErrBetween.
func (k *Kernel) environmentOf(row process.Row) ([]string, error) {
	p := k.find(row.PID)
	switch {
	case p == nil || p.start != row.Start:
		k.Story("tracker: marks of %d: no such process", row.PID)
		return nil, process.ErrGone
	case p.secret:
		return nil, nil // another user's
	case p.withholds:
		k.Story("tracker: marks of %s: refused", p)
		return nil, errHides
	case p.between():
		k.Story("tracker: marks of %s: between two programs", p)
		return nil, process.ErrBetween
	}
	k.Story("tracker: marks of %s: %v", p, p.marks)
	p.markShown = p.markShown || p.marked()
	return p.marks, nil
}

// Between reports whether a process is between two programs.
func (k *Kernel) Between() bool { return slices.ContainsFunc(k.Listed, (*Process).between) }

// Lags implements [core.Kernel].
func (k *Kernel) Lags() bool { return false }

// Lineage implements [core.Kernel].
func (k *Kernel) Lineage() bool { return k.Remembers }

// Wake implements [core.Kernel].
func (k *Kernel) Wake() {}

// Close implements [core.Kernel].
func (k *Kernel) Close() error { return nil }

// call is a system call about to be made, about a PID or none.
func (k *Kernel) call(kind byte, pid int, patience time.Duration) {
	k.kind, k.about, k.patient = kind, pid, patience != 0
	k.Schedule(patience)
}

// Add implements [core.Kernel].
func (k *Kernel) Add(pid int) error {
	k.call('a', pid, 0)
	k.receive()
	k.drop(pid)
	p := k.find(pid)
	if zombie := k.latest(pid); p == nil && k.Flavour == process.ForksUnseen && zombie != nil && zombie.state == Zombie {
		k.Story("tracker: watch %d (%s), a zombie", pid, zombie)
		k.knotes = append(k.knotes, &knote{proc: zombie, pid: pid, start: zombie.start, pending: process.Exited})
		return nil
	}
	if p == nil {
		k.Story("tracker: watch %d: no such process", pid)
		return process.ErrGone
	}
	if k.Fail(&k.Refusals) {
		k.Story("tracker: watch %d (%s): refused", pid, p)
		return errRefused
	}
	k.Story("tracker: watch %d (%s)", pid, p)
	k.knotes = append(k.knotes, &knote{proc: p, pid: pid, start: p.start})
	return nil
}

// receive drops the events about processes that are not watched, as the reader of the
// connector does: what a process did before it is watched is announced to no one.
func (k *Kernel) receive() {
	watched := make(map[int]bool, len(k.knotes))
	for _, kn := range k.knotes {
		watched[kn.pid] = true
	}
	var kept []event
	for _, e := range k.events {
		if e.Lost || watched[e.PID] {
			kept = append(kept, e)
			watched[e.Child] = watched[e.Child] || e.Events.Has(process.Forked)
		}
	}
	k.events = kept
}

// Remove implements [core.Kernel].
func (k *Kernel) Remove(pid int) {
	k.drop(pid)
}

func (k *Kernel) drop(pid int) {
	k.knotes = slices.DeleteFunc(k.knotes, func(kn *knote) bool { return kn.pid == pid })
}

// Lookup implements [core.Kernel].
func (k *Kernel) Lookup(pid int) (process.Row, error) {
	k.call('l', pid, 0)
	for _, p := range k.Listed {
		if p.PID == pid && p.listed() {
			if p.hidden() {
				return process.Row{}, errHides
			}
			row := p.lineageRow()
			k.keep(row)
			return row, nil
		}
	}
	k.keep(process.Row{})
	return process.Row{}, process.ErrGone
}

// Next implements [core.Kernel].
func (k *Kernel) Next(notices []core.Notice, timeout time.Duration) ([]core.Notice, error) {
	k.call('n', 0, timeout)
	notices = k.take(notices)
	for _, n := range notices {
		k.Story("tracker: notice %d %s", n.PID, n.Events)
	}
	if len(notices) == 0 {
		k.Stage++ // a drain has ended
		k.Now = k.Now.Add(max(0, timeout))
	}
	return notices, nil
}

// Pending reports whether Next would return something.
func (k *Kernel) Pending() bool {
	return len(k.events) > 0 || slices.ContainsFunc(k.knotes, func(kn *knote) bool { return kn.pending != 0 })
}

func (k *Kernel) take(notices []core.Notice) []core.Notice {
	for _, e := range k.events {
		if n := e.Notice; k.watchedByName(n) {
			n.Found = k.found(n)
			if m := k.latest(n.Child); m != nil && n.Events.Has(process.Forked) {
				m.named = true
			}
			notices = append(notices, n)
		}
	}
	k.events = nil
	for _, kn := range k.knotes {
		if kn.pending == 0 {
			continue
		}
		notices = append(notices, core.Notice{PID: kn.pid, Events: kn.pending})
		kn.gone = kn.pending.Has(process.Exited) // one-shot
		kn.pending = 0
	}
	k.knotes = slices.DeleteFunc(k.knotes, func(kn *knote) bool { return kn.gone })
	return notices
}

// found is the process that a notice names, when it is taken. It may be gone, and
// another process may have its PID: that one is younger.
func (k *Kernel) found(n core.Notice) process.Row {
	pid := n.PID
	if n.Events.Has(process.Forked) {
		pid = n.Child
	}
	for _, p := range k.Listed {
		if p.PID == pid && n.Found.Start == p.start {
			row := p.row()
			if p.hidden() {
				row = p.hiddenRow()
			}
			row.State = process.Running
			return row
		}
	}
	return process.Row{Process: process.Process{Identity: process.Identity{PID: pid, Boot: "sim"}}}
}

// watchedByName does what connectorSource does: it passes on the notices about
// watched processes and their children, which are watched too.
func (k *Kernel) watchedByName(n core.Notice) bool {
	if n.Lost {
		return true
	}
	i := slices.IndexFunc(k.knotes, func(kn *knote) bool { return kn.pid == n.PID })
	if i < 0 {
		return false
	}
	if n.Events.Has(process.Forked) {
		k.knotes = append(k.knotes, &knote{pid: n.Child, start: n.Found.Start})
	}
	if n.Events.Has(process.Exited) {
		if k.knotes[i].start != n.Found.Start {
			return false // of an earlier process with this PID
		}
		k.knotes = slices.Delete(k.knotes, i, i+1)
	}
	return true
}

// Read lists the PIDs at one moment and fills in the rows one by one later
// (docs/xnu.md X19).
func (k *Kernel) Read(rows []process.Row) (_ []process.Row, cost time.Duration, err error) {
	k.Stage = stageRead
	k.call('R', 0, 0)
	k.rows = rows
	k.list()
	k.Story("tracker: read lists %v", k.todo)
	var shown []*Process
	for len(k.todo) > 0 {
		k.call('f', 0, 0)
		p := k.todo[0]
		k.todo = k.todo[1:]
		if !p.listed() {
			continue
		}
		row := p.lineageRow()
		if p.hidden() {
			if k.ShowsInit || p.parent == nil || p.parent.hidden() || p.state == Zombie {
				continue // no children file names it, or none was read yet
			}
			row = p.hiddenRow()
		}
		k.rows = append(k.rows, row)
		shown = append(shown, p)
		k.Story("tracker: row %s: parent %d group %d session %d %s", p, row.Parent, row.Group, row.Session, row.State)
	}
	if k.Hides && k.ShowsInit {
		shown = k.lookForHidden(shown)
	}
	rows, k.rows = k.rows, nil
	if k.Fail(&k.Faults) {
		k.Story("tracker: the read fails")
		return rows[:0], 0, errFault
	}
	k.show(shown, rows[len(rows)-len(shown):])
	return rows, 0, nil
}

// list lists the PIDs at one moment.
func (k *Kernel) list() {
	k.todo = k.todo[:0]
	for _, zombies := range []bool{false, true} {
		for _, p := range k.Listed {
			if (p.state == Exiting || p.state == Zombie) == zombies {
				k.todo = append(k.todo, p)
			}
		}
	}
}

// Inhabited implements [core.Kernel]. It lists the PIDs at one moment and asks for the
// group and the session of each later. It cannot tell where the table may hide processes.
func (k *Kernel) Inhabited(ids map[int]bool) (_ bool, cost time.Duration, err error) {
	k.Stage = stageRead
	k.call('I', 0, 0)
	if k.Hides {
		return false, 0, errHides
	}
	k.list()
	k.Story("tracker: glance lists %v", k.todo)
	for ; len(k.todo) > 0; k.todo = k.todo[1:] {
		p := k.todo[0]
		k.call('g', 0, 0)
		in := ids[p.pgid]
		if p.listed() && !in {
			k.call('s', 0, 0)
			in = ids[p.sid]
		}
		if p.listed() && in && !(p.state == Zombie && ids[p.PID]) {
			k.Story("tracker: %s is in a group or session of the tree", p)
			return true, 0, nil
		}
	}
	return false, 0, nil
}

// show remembers what a read showed the tracker: a row with the parent that made
// a process counts if that one was known to belong when the row was.
func (k *Kernel) show(procs []*Process, rows []process.Row) {
	for i, p := range procs {
		p.show(rows[i])
	}
	for again := true; again; {
		again = false
		for i, p := range procs {
			if !p.underMother && p.mother != nil && rows[i].Parent == p.mother.PID && k.Belongs(p.mother) {
				p.underMother, again = true, true
			}
		}
	}
}
