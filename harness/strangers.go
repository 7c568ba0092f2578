//go:build darwin || linux

package harness

import (
	"slices"

	"github.com/gemini-monitor/gemini/harness/internal/table"
)

// Strangers returns the PIDs of the processes of the stage that neither the harness nor a
// puppet started: those of a program that watches a tree, for example. Processes that a shell or a command of the test has
// started are among them, so call it while the test has puppets only.
func (s *Stage) Strangers() ([]int, error) {
	all, err := table.All()
	if err != nil {
		return nil, err
	}
	own := s.own()
	return slices.DeleteFunc(s.belongings(all, adopted), func(pid int) bool { return slices.Contains(own, pid) }), nil
}

// own returns the PIDs of all commands and puppets of the stage.
func (s *Stage) own() []int {
	var pids []int
	for _, t := range s.trees.list() {
		pids = append(pids, t.process.pid)
	}
	s.troupe.mu.Lock()
	defer s.troupe.mu.Unlock()
	for _, p := range s.troupe.members {
		pids = append(pids, p.pid)
	}
	return pids
}
