package monitor

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// A Status is the record of a runtime with what the process table shows of it at
// this moment.
type Status struct {
	Record
	// Root is the runtime's own directory.
	Root string `json:"directory"`
	// Log is the file that its monitor writes.
	Log string `json:"log"`
	// Members are its live processes, oldest first.
	Members []trees.Member `json:"members"`
	// Released are the live processes that do not count any more, oldest first.
	Released []trees.Member `json:"released,omitempty"`
	// OwnerEnded means that the owner has ended: its PID may be another process's by now.
	OwnerEnded bool `json:"-"`
}

// RunsOnEmpty reports whether the on-empty command of the runtime runs, or is about to.
func (s Status) RunsOnEmpty() bool { return s.State == StateStopping && s.Reason == reasonHooking }

// StaysForOnEmpty reports whether the runtime is empty and stays because of its on-empty command,
// which runs, or has failed.
func (s Status) StaysForOnEmpty() bool {
	return s.RunsOnEmpty() || s.State == StateStopping && strings.HasPrefix(s.Reason, reasonUnhooked)
}

// MarshalJSON leaves out what a record that cannot be read would have: no PID is 0, and no
// user is root by mistake.
func (s Status) MarshalJSON() ([]byte, error) {
	type whole Status
	var value any = whole(s)
	if s.Version == 0 {
		value = struct {
			Name    string         `json:"name"`
			State   State          `json:"state"`
			Reason  string         `json:"reason,omitempty"`
			Root    string         `json:"directory,omitempty"`
			Log     string         `json:"log,omitempty"`
			Members []trees.Member `json:"members"`
		}{s.Name, s.State, s.Reason, s.Root, s.Log, s.Members}
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false) // what calls this decides that
	err := e.Encode(value)
	return text.Bytes(), err
}

// A Survey answers questions about many runtimes from one read of the process
// table.
type Survey struct {
	store *Store
	live  map[process.Identity]process.Process
}

// Survey reads the process table.
func (s *Store) Survey() (*Survey, error) {
	rows, err := process.Table()
	if err != nil {
		return nil, err
	}
	v := &Survey{store: s, live: make(map[process.Identity]process.Process, len(rows))}
	for _, p := range rows {
		if p.State != process.Zombie {
			v.live[p.Identity] = p
		}
	}
	return v, nil
}

// Status returns how a runtime is. The error is [ErrNotExist] when it was
// removed meanwhile, and that of the system where the calling process lacks descriptors or
// memory. A record that cannot be read for another reason is the state [StateBroken], and
// one whose processes cannot be seen from here is [StateUnknown], with the reason.
func (v *Survey) Status(r *Runtime) (Status, error) {
	status := Status{Root: r.Root(), Log: r.path(logFile), Members: []trees.Member{}}
	record, err := r.Record()
	if err == nil {
		status.Record = record
		status.Marks = nil
		if record.State == StateIdle {
			status.OwnerEnded = true
			return status, nil
		}
		if !record.outlived() {
			err = v.members(r, &status)
		}
	}
	switch {
	case errors.Is(err, ErrNotExist) || shortage(err):
		return Status{}, err
	case err != nil:
		status.Name, status.State, status.Reason = r.name, StateBroken, err.Error()
		return status, nil
	}
	err = record.visible()
	status.OwnerEnded = err == nil && !v.alive(&record.Owner)
	switch {
	case err != nil:
		status.State, status.Reason = StateUnknown, err.Error()
	case !v.alive(record.Monitor) && !(record.State == StateStarting && v.alive(&record.Owner)):
		status.State = StateUnmonitored
		status.Reason = cmp.Or(status.Reason, v.whyUnmonitored(status))
	}
	return status, nil
}

func (v *Survey) alive(id *process.Identity) bool {
	if id == nil {
		return false
	}
	_, ok := v.live[*id]
	return ok
}

// members adds the members and the released processes by the journal that are alive.
func (v *Survey) members(r *Runtime, status *Status) error {
	known, err := r.readCast()
	if err != nil {
		return err
	}
	status.Members = v.living(status.Members, known.members)
	status.Released = v.living(nil, known.released)
	return nil
}

// living appends those of some processes that are alive, as they are now, oldest first.
func (v *Survey) living(all []trees.Member, known map[process.Identity]*trees.Member) []trees.Member {
	for id, m := range known {
		if now, ok := v.live[id]; ok {
			m.Process = now
			all = append(all, *m)
		}
	}
	slices.SortFunc(all, func(a, b trees.Member) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.PID, b.PID))
	})
	return all
}

// readCast reads the journal of the runtime. The error is [ErrNotExist] when that was removed
// meanwhile.
func (r *Runtime) readCast() (cast, error) {
	known, err := readCast(r.path(journalFile))
	if err == nil {
		return known, nil
	}
	if _, gone := r.Record(); errors.Is(gone, ErrNotExist) {
		return cast{}, gone
	}
	return cast{}, err
}

// All returns the status of every runtime of the store, by name, and of what could not
// be deleted of removed ones, which are stopping. Runtimes that are removed meanwhile are
// left out.
func (v *Survey) All() ([]Status, error) {
	names, err := v.store.Names()
	if err != nil {
		return nil, err
	}
	all := []Status{}
	for _, name := range names {
		status, err := v.statusOf(name)
		if errors.Is(err, ErrNotExist) {
			continue
		}
		if shortage(err) {
			return nil, err
		}
		if err != nil {
			status = Status{Record: Record{Name: name, State: StateBroken, Reason: err.Error()}, Members: []trees.Member{}}
		}
		all = append(all, status)
	}
	remains, err := v.remains()
	if err != nil {
		return nil, err
	}
	all = append(all, remains...)
	slices.SortStableFunc(all, func(a, b Status) int { return cmp.Compare(a.Name, b.Name) })
	return all, nil
}

// Named returns the status of the runtime with a name, or of what could not be deleted
// of one that had it. The error is [ErrBadName], [ErrNotExist] or [ErrUnsafe].
func (v *Survey) Named(name string) (Status, error) {
	status, err := v.statusOf(name)
	if !errors.Is(err, ErrNotExist) {
		return status, err
	}
	remains, short := v.remains()
	if short != nil {
		return Status{}, short
	}
	for _, left := range remains {
		if left.Name == name {
			return left, nil
		}
	}
	return Status{}, err
}

func (v *Survey) statusOf(name string) (Status, error) {
	r, err := v.store.Runtime(name)
	if err != nil {
		return Status{}, err
	}
	return v.Status(r)
}
