package monitor

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// ErrNone reports that the calling process is in no runtime.
var ErrNone = errors.New("No active runtime") //lint:ignore ST1005 the words are part of the contract

// Current returns the status of the runtime that the calling process is in: the one
// that it or its nearest possible ancestor is a member of. Where the table shows none,
// as in another PID namespace, it is the newest one whose lease the caller has inherited.
// The error is [ErrNone] when there is none.
//
// Ancestors that cannot be read, as where /proc hides other users' processes, end the
// line. They are an error only where no runtime is found without them.
//
// A process may carry the environment of a runtime that it is not in, so that proves
// nothing.
func (v *Survey) Current() (Status, error) {
	status, outside, unread, err := v.above(os.Getpid())
	if err != nil && !errors.Is(err, ErrNone) {
		return Status{}, fmt.Errorf("find the runtime of this process: %w", err)
	}
	if err == nil {
		return status, nil
	}
	if leased := v.leased(outside); leased != nil {
		return v.Status(leased)
	}
	if unread != nil {
		return Status{}, fmt.Errorf("find the runtime of this process: %w", unread)
	}
	return Status{}, ErrNone
}

// Of returns the status of the runtime that a process is in, as the journals and the process
// table show it: the one that the process or its nearest possible ancestor is a member of.
// The error is [ErrNone] when there is none, and [process.ErrGone] when there is no such
// process. Ancestors that cannot be read are an error as for [Survey.Current].
func (v *Survey) Of(pid int) (Status, error) {
	status, _, unread, err := v.above(pid)
	if errors.Is(err, ErrNone) && unread != nil {
		err = fmt.Errorf("find the runtime of process %d: %w", pid, unread)
	}
	return status, err
}

// above returns the status of the runtime that a process or its nearest possible ancestor
// is a member of, the names of those that it is known to be outside of, and why ancestors
// cannot be read.
func (v *Survey) above(pid int) (status Status, outside []string, unread, err error) {
	row, err := process.Lookup(pid)
	if err != nil {
		return Status{}, nil, nil, err
	}
	ancestors, unread := process.Ancestors(pid)
	status, outside, err = v.nearest(append([]process.Process{row}, ancestors...))
	return status, outside, unread, err
}

// leased returns the newest runtime of the store whose lease the calling process has
// inherited, but for those of some names, or nil.
func (v *Survey) leased(but []string) (newest *Runtime) {
	names, _ := v.store.Names()
	files := inheritedFiles()
	var made time.Time
	for _, name := range names {
		r, err := v.store.Runtime(name)
		if err != nil || slices.Contains(but, name) || !files.have(r.path(leaseFile)) {
			continue
		}
		if record, err := r.Record(); err == nil && (newest == nil || record.Created.After(made)) {
			newest, made = r, record.Created
		}
	}
	return newest
}

// nearest returns the runtime of the first process of a line that is a member of
// one. Where it is a member of several, nearest returns the newest. What a process had
// made before it became the owner of a runtime is not in that, nor what descends from it, and
// the same is true of what was released. Outside are the names of those runtimes.
func (v *Survey) nearest(line []process.Process) (_ Status, outside []string, err error) {
	all, err := v.All()
	if err != nil {
		return Status{}, nil, err
	}
	for _, p := range line {
		all = slices.DeleteFunc(all, func(s Status) bool {
			out := s.excludes(p.Identity)
			if out {
				outside = append(outside, s.Name)
			}
			return out
		})
		var found *Status
		for i := range all {
			if all[i].has(p.Identity) && (found == nil || all[i].Created.After(found.Created)) {
				found = &all[i]
			}
		}
		if found != nil {
			return *found, outside, nil
		}
	}
	return Status{}, outside, ErrNone
}

// excludes reports whether a process is none of the runtime, though links lead to it.
func (s *Status) excludes(id process.Identity) bool {
	return slices.Contains(s.Strangers, id) || slices.ContainsFunc(s.Released, func(m trees.Member) bool { return m.Identity == id })
}

func (s *Status) has(id process.Identity) bool {
	if s.Owner == id {
		return true
	}
	for _, m := range s.Members {
		if m.Identity == id {
			return true
		}
	}
	return false
}
