package rehearsal

import (
	"maps"
	"slices"
	"time"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// A Script is a kernel that a spec controls: it shows the table, and posts the
// notices, that the spec has written. Its clock runs only while the
// tracker waits or reads.
type Script struct {
	flavour process.Forks
	Clock   time.Time
	Cost    time.Duration // of a read
	Rows    map[int]process.Row
	Posted  []core.Notice
	Watched map[int]process.StartTime

	Unreadable   error            // what a read fails with
	Hides        error            // why reads do not show all processes
	Refused      map[int]error    // what adding a PID fails with
	Late         bool             // notices are there that no wait was ended for
	Lonely       bool             // no process can be linked to another
	Environments map[int][]string // the marks of processes by PID
	Secrets      map[int]error    // what asking a process for its marks fails with
	Broken       error            // what next fails with
	BeforeRead   func()           // or glance
	BeforeNext   func()
	WhileWaiting func(time.Duration)
	BeforeAdd    func(pid int)

	Reads   int
	Asked   []int // the processes that were asked for their marks
	Glances int
	Idle    bool // the tracker waits for a notice, or for its next look in some minutes
}

func (s *Script) now() time.Time { return s.Clock }

// Forks implements [core.Kernel].
func (s *Script) Forks() process.Forks { return s.flavour }

// Alone implements [core.Kernel].
func (s *Script) Alone(process.Row) bool { return s.Lonely }

// Marks implements [core.Kernel].
func (s *Script) Marks(p process.Row) ([]string, time.Duration, error) {
	s.Asked = append(s.Asked, p.PID)
	if now, listed := s.Rows[p.PID]; !listed || now.Identity != p.Identity {
		return nil, 0, process.ErrGone
	}
	return s.Environments[p.PID], 0, s.Secrets[p.PID]
}

// Lags implements [core.Kernel].
func (s *Script) Lags() bool { return s.Late }

// Lineage implements [core.Kernel].
func (s *Script) Lineage() bool { return false }

// Inherit implements [core.Kernel].
func (s *Script) Inherit() {}

// Add implements [core.Kernel].
func (s *Script) Add(pid int) error {
	delete(s.Watched, pid)
	if s.BeforeAdd != nil {
		s.BeforeAdd(pid)
	}
	if err := s.Refused[pid]; err != nil {
		return err
	}
	row, listed := s.Rows[pid]
	if !listed || row.State >= process.Exiting {
		return process.ErrGone
	}
	s.Watched[pid] = row.Start
	return nil
}

// Remove implements [core.Kernel].
func (s *Script) Remove(pid int) { delete(s.Watched, pid) }

// Next implements [core.Kernel].
func (s *Script) Next(notices []core.Notice, timeout time.Duration) ([]core.Notice, error) {
	if s.BeforeNext != nil {
		s.BeforeNext()
	}
	notices, s.Posted = append(notices, s.Posted...), nil
	s.Wait(len(notices) > 0, timeout)
	return notices, s.Broken
}

// Wait moves the clock on by the timeout of a call, unless the call has got something.
// Idle becomes true for a call that would wait for ever, or longer than a minute.
func (s *Script) Wait(got bool, timeout time.Duration) {
	s.Idle = !got && (timeout < 0 || timeout > time.Minute)
	if !got && timeout > 0 && !s.Idle {
		s.Clock = s.Clock.Add(timeout)
		if s.WhileWaiting != nil {
			s.WhileWaiting(timeout)
		}
	}
}

// Read implements [core.Kernel].
func (s *Script) Read(rows []process.Row) ([]process.Row, time.Duration, error) {
	s.Reads++
	s.Clock = s.Clock.Add(s.Cost)
	if s.BeforeRead != nil {
		s.BeforeRead()
	}
	if s.Unreadable != nil {
		return rows, s.Cost, s.Unreadable
	}
	for _, pid := range slices.Sorted(maps.Keys(s.Rows)) {
		rows = append(rows, s.Rows[pid])
	}
	return rows, s.Cost, nil
}

// Inhabited implements [core.Kernel].
func (s *Script) Inhabited(ids map[int]bool) (bool, time.Duration, error) {
	s.Glances++
	s.Clock = s.Clock.Add(s.Cost)
	if s.BeforeRead != nil {
		s.BeforeRead()
	}
	if s.Hides != nil {
		return false, s.Cost, s.Hides
	}
	for pid, p := range s.Rows {
		if (ids[p.Group] || ids[p.Session]) && !(p.State == process.Zombie && ids[pid]) {
			return true, s.Cost, nil
		}
	}
	return false, s.Cost, nil
}

// Partial implements [core.Kernel].
func (s *Script) Partial() error { return s.Hides }

// Lookup implements [core.Kernel].
func (s *Script) Lookup(pid int) (process.Row, error) {
	row, listed := s.Rows[pid]
	if !listed {
		return process.Row{}, process.ErrGone
	}
	return row, nil
}

// Wake implements [core.Kernel].
func (s *Script) Wake() {}

// Close implements [core.Kernel].
func (s *Script) Close() error { return nil }

// A Row of the script: the higher its PID, the younger the process.
func Row(pid, parent, group, session int, but ...func(*process.Row)) process.Row {
	p := process.Row{Process: process.Process{Identity: Identity(pid), Parent: parent, Group: group, Session: session}}
	for _, change := range but {
		change(&p)
	}
	return p
}

// Identity returns the identity of the process with a PID.
func Identity(pid int) process.Identity {
	return process.Identity{PID: pid, Start: process.StartTime(1000 + pid), Boot: "script"}
}

// Exiting, Zombie, Traced and Born change a row.
func Exiting(p *process.Row) { p.State, p.Session = process.Exiting, 0 }
func Zombie(p *process.Row)  { p.State, p.Session = process.Zombie, 0 }
func Traced(p *process.Row)  { p.Tracer = 99 }
func Born(start process.StartTime) func(p *process.Row) {
	return func(p *process.Row) { p.Start = start }
}

// OwnPID is that of the process in which the tracker runs.
const OwnPID = 7

// Hidden makes a row that of a hidden process.
func Hidden(p *process.Row) { p.Start, p.Hidden = 0, true }

// cast is the processes of most scripts: init, a terminal's shell, the tracker's
// own process, and a root with two children, of which one made a group and one
// a session.
func cast() map[int]process.Row {
	rows := make(map[int]process.Row)
	for _, p := range []process.Row{
		Row(1, 0, 1, 1), Row(5, 1, 5, 5), Row(OwnPID, 5, OwnPID, 5),
		Row(10, 5, 10, 5), Row(11, 10, 11, 5), Row(12, 10, 12, 12),
	} {
		rows[p.PID] = p
	}
	return rows
}

// Bury takes a process out of the table. Its children go to init.
func (s *Script) Bury(pid int) {
	delete(s.Rows, pid)
	for child, p := range s.Rows {
		if p.Parent == pid {
			p.Parent = 1
			s.Rows[child] = p
		}
	}
}

// Name returns a program name for rows.
func Name(text string) (n process.Name) {
	copy(n[:], text)
	return n
}
