//go:build darwin || linux

package harness

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A row is what ps shows of one process.
type row struct {
	pid, parent, group   int
	state, time, command string // processor time
}

// everyProcess returns the rows of all processes of the machine by PID.
func everyProcess(ctx context.Context) (map[int]row, error) {
	table, err := ps(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("ps: %w", err)
	}
	all := map[int]row{}
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		if len(fields) < 5 {
			continue
		}
		var r row
		var bad [3]error
		r.pid, bad[0] = strconv.Atoi(fields[0])
		r.parent, bad[1] = strconv.Atoi(fields[1])
		r.group, bad[2] = strconv.Atoi(fields[2])
		if bad != [3]error{} {
			return nil, fmt.Errorf("ps: unexpected line %q", line)
		}
		r.state, r.time, r.command = fields[3], fields[4], strings.Join(fields[5:], " ")
		all[r.pid] = r
	}
	return all, nil
}

// forest draws the processes of the stage: those with its directory in arguments or
// environment, those that the harness started and that live, and all descendants of
// both. Notes, by PID, are added to their lines.
func (s *Stage) forest(ctx context.Context, notes map[int][]string) (string, error) {
	found, err := s.remnants(ctx)
	if err != nil {
		return "", err
	}
	all, err := everyProcess(ctx)
	if err != nil {
		return "", err
	}
	children := map[int][]int{}
	for _, r := range all {
		children[r.parent] = append(children[r.parent], r.pid)
	}
	ours := map[int]bool{}
	var claim func(pid int)
	claim = func(pid int) {
		if _, there := all[pid]; !there || ours[pid] {
			return
		}
		ours[pid] = true
		for _, child := range children[pid] {
			claim(child)
		}
	}
	for _, r := range found {
		claim(r.pid)
	}
	for _, pid := range s.living() {
		claim(pid)
	}
	page := draw(all, children, ours, notes)
	for _, pid := range slices.Sorted(maps.Keys(notes)) {
		if _, there := all[pid]; !there && len(notes[pid]) > 0 {
			page += fmt.Sprintf("  %d does not exist, but is alive for %s\n", pid, strings.Join(notes[pid], ", "))
		}
	}
	return page, nil
}

// living returns the PIDs of the shells, jobs and puppets that have not ended.
func (s *Stage) living() []int {
	var pids []int
	for _, sh := range s.shells {
		if !closed(sh.Exited()) {
			pids = append(pids, sh.PID())
		}
	}
	for _, j := range s.jobs {
		if !closed(j.Exited()) {
			pids = append(pids, j.PID())
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
func draw(all map[int]row, children map[int][]int, ours map[int]bool, notes map[int][]string) string {
	var page strings.Builder
	var visit func(r row, depth int)
	visit = func(r row, depth int) {
		session, err := unix.Getsid(r.pid) // macOS returns an error for a zombie
		at := strconv.Itoa(session)
		if err != nil {
			at = "?"
		}
		name := strings.Repeat("   ", depth) + strconv.Itoa(r.pid)
		fmt.Fprintf(&page, "  %-16s %-4s %s parent %-6d group %-6d session %-6s %s", name, r.state, r.time, r.parent, r.group, at, brief(r.command, 100))
		if about := notes[r.pid]; len(about) > 0 {
			fmt.Fprintf(&page, "   <- %s", strings.Join(about, ", "))
		}
		page.WriteString("\n")
		for _, child := range slices.Sorted(slices.Values(children[r.pid])) {
			if ours[child] {
				visit(all[child], depth+1)
			}
		}
	}
	for _, pid := range slices.Sorted(maps.Keys(ours)) {
		if !ours[all[pid].parent] {
			visit(all[pid], 0)
		}
	}
	return page.String()
}
