//go:build darwin || linux

package harness

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/gemini-monitor/gemini/harness/internal/table"
)

// forest draws the processes of the stage: those below its wardens, those that the harness
// knows and that live, and all descendants of both. Notes, by PID, are added to their
// lines.
func (s *Stage) forest(notes map[int][]string) (string, error) {
	all, err := table.All()
	if err != nil {
		return "", err
	}
	ours := map[int]bool{}
	for _, pid := range slices.Concat(s.belongings(all, adopted), s.living()) {
		if _, there := all[pid]; !there {
			continue
		}
		ours[pid] = true
		for _, child := range table.Below(all, pid) {
			ours[child] = true
		}
	}
	page := draw(all, ours, notes)
	for _, pid := range sortedKeys(notes) {
		// The report of an end may be on its way to the harness: what its own tracks say
		// of a process that has ended is no news.
		about := slices.DeleteFunc(slices.Clone(notes[pid]), s.records)
		if _, there := all[pid]; !there && len(about) > 0 {
			page += fmt.Sprintf("  %d does not exist, but is alive for %s\n", pid, strings.Join(about, ", "))
		}
	}
	return page, nil
}

// records reports whether the harness records a track, not an observer.
func (s *Stage) records(track string) bool {
	for _, t := range s.trees.list() {
		if t.name == track {
			return true
		}
	}
	s.troupe.mu.Lock()
	defer s.troupe.mu.Unlock()
	return slices.ContainsFunc(s.troupe.members, func(p *Puppet) bool { return p.name == track })
}

// living returns the PIDs of the commands and puppets that have not ended.
func (s *Stage) living() []int {
	var pids []int
	for _, t := range s.trees.list() {
		if !closed(t.process.exited) {
			pids = append(pids, t.process.pid)
		}
	}
	return append(pids, s.troupe.living()...)
}

// living returns the PIDs of the puppets that have greeted and not ended.
func (tr *troupe) living() []int {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	var pids []int
	for _, p := range tr.members {
		if p.pid != 0 && !closed(p.gone) {
			pids = append(pids, p.pid)
		}
	}
	return pids
}

// draw returns the processes in ours as trees, one line for each process.
func draw(all map[int]table.Row, ours map[int]bool, notes map[int][]string) string {
	children := map[int][]int{}
	for pid := range ours {
		children[all[pid].Parent] = append(children[all[pid].Parent], pid)
	}
	var page strings.Builder
	var visit func(pid, depth int)
	visit = func(pid, depth int) {
		m := membersOf([]int{pid}, all)[0]
		name := strings.Repeat("   ", depth) + strconv.Itoa(pid)
		fmt.Fprintf(&page, "  %-16s %c parent %-6d group %-6d session %-6d %s", name, m.State, m.Parent, m.Group, m.Session, brief(m.Command, 100))
		if about := notes[pid]; len(about) > 0 {
			fmt.Fprintf(&page, "   <- %s", strings.Join(about, ", "))
		}
		page.WriteString("\n")
		for _, child := range slices.Sorted(slices.Values(children[pid])) {
			visit(child, depth+1)
		}
	}
	for _, pid := range sortedKeys(ours) {
		if !ours[all[pid].Parent] {
			visit(pid, 0)
		}
	}
	return page.String()
}

// sortedKeys returns the keys of a map in ascending order.
func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
