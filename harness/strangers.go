//go:build darwin || linux

package harness

import (
	"context"
	"slices"
)

// Strangers returns the PIDs of the processes of the stage that neither the
// harness nor a puppet started: those of a monitor. Processes that a shell or a
// command of the spec has started are among them, so call it while the spec has
// puppets only.
func (s *Stage) Strangers(ctx context.Context) ([]int, error) {
	found, err := s.remnants(ctx)
	if err != nil {
		return nil, err
	}
	own := s.own()
	var strangers []int
	for _, r := range found {
		if !slices.Contains(own, r.pid) {
			strangers = append(strangers, r.pid)
		}
	}
	return strangers, nil
}

// own returns the PIDs of all jobs, shells and puppets of the stage.
func (s *Stage) own() []int {
	var pids []int
	for _, j := range s.jobs {
		pids = append(pids, j.PID())
	}
	for _, sh := range s.shells {
		pids = append(pids, sh.PID())
	}
	s.troupe.mu.Lock()
	defer s.troupe.mu.Unlock()
	for _, p := range s.troupe.members {
		pids = append(pids, p.pid)
	}
	return pids
}
