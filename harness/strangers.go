//go:build darwin || linux

package harness

import (
	"slices"

	"github.com/gemini-monitor/gemini/harness/internal/table"
)

// Strangers returns the PIDs of the processes of the stage that neither the harness nor a
// puppet started: those of a program that watches a tree, for example. What a shell, a
// command of the test or a program of Spawn has started is among them, so call it while the
// test has puppets only.
func (s *Stage) Strangers() ([]int, error) {
	all, err := table.All()
	if err != nil {
		return nil, err
	}
	own := s.own()
	return slices.DeleteFunc(s.belongings(all, adopted), func(pid int) bool {
		return slices.Contains(own, pid) || s.troupe.spawned(all[pid])
	}), nil
}

// spawned reports whether a puppet started the process by Spawn.
func (tr *troupe) spawned(r table.Row) bool {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.children.has(r)
}

// adopt adds a process that a puppet started by Spawn. Until the puppet reaps it no other
// process has its PID, and one that is reaped already is not in the table.
func (tr *troupe) adopt(pid int) {
	row, err := table.Of(pid)
	if err != nil {
		return
	}
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.children[pid] = row.Start
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
