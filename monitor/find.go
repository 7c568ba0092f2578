package monitor

import (
	"errors"
	"fmt"
	"os"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// ErrNone reports that the calling process is in no runtime.
var ErrNone = errors.New("No active runtime") //lint:ignore ST1005 the words are part of the contract

// Current returns the status of the runtime that the calling process is in:
// the one that its environment names, else the one that it or its nearest
// possible ancestor is a member of. The error is [ErrNone] when there is none,
// and [ErrNotExist] when the one that the environment names is gone.
func (v *Survey) Current() (Status, error) {
	if name := os.Getenv(EnvRuntime); name != "" {
		return v.statusOf(name)
	}
	ancestors, err := process.Ancestors(os.Getpid())
	if err != nil {
		return Status{}, fmt.Errorf("find the runtime of this process: %w", err)
	}
	self, err := process.Lookup(os.Getpid())
	if err != nil {
		return Status{}, fmt.Errorf("find the runtime of this process: %w", err)
	}
	return v.nearest(append([]process.Process{self}, ancestors...))
}

// nearest returns the runtime of the first process of a line that is a member of
// one. Where it is a member of several, nearest returns the newest.
func (v *Survey) nearest(line []process.Process) (Status, error) {
	all, err := v.All()
	if err != nil {
		return Status{}, err
	}
	for _, p := range line {
		var found *Status
		for i := range all {
			if all[i].has(p.Identity) && (found == nil || all[i].Created.After(found.Created)) {
				found = &all[i]
			}
		}
		if found != nil {
			return *found, nil
		}
	}
	return Status{}, ErrNone
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
