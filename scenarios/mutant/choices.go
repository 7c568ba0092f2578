//go:build darwin || linux

package main

import (
	"slices"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// rootAlone chooses the owner only.
func (w *watch) rootAlone() choice {
	return w.these([]process.Process{w.root})
}

// these chooses a fixed set of processes.
func (w *watch) these(some []process.Process) choice {
	return func(live []process.Process) []process.Process {
		return slices.DeleteFunc(live, func(p process.Process) bool {
			return !slices.ContainsFunc(some, func(s process.Process) bool { return s.Identity == p.Identity })
		})
	}
}

// group chooses by the owner's process group.
func (w *watch) group() choice {
	return func(live []process.Process) []process.Process {
		return slices.DeleteFunc(live, func(p process.Process) bool { return p.Group != w.root.Group })
	}
}

// session chooses by the owner's session.
func (w *watch) session() choice {
	return func(live []process.Process) []process.Process {
		return slices.DeleteFunc(live, func(p process.Process) bool { return p.Session != w.root.Session })
	}
}

// descendants chooses the processes whose living ancestors lead to the owner's PID.
func (w *watch) descendants() choice {
	return func(live []process.Process) []process.Process {
		parents := map[int]int{}
		for _, p := range live {
			parents[p.PID] = p.Parent
		}
		below := func(pid int) bool {
			for steps := 0; pid > 1 && steps < len(live); steps++ {
				if pid == w.root.PID {
					return true
				}
				pid = parents[pid]
			}
			return pid == w.root.PID
		}
		return slices.DeleteFunc(live, func(p process.Process) bool { return !below(p.PID) })
	}
}

// kin chooses the owner and all processes with a link to it or to a process that was
// chosen before: by the parent, and if orphans is true by group and session too.
func (w *watch) kin(orphans bool) choice {
	known := map[process.Identity]bool{w.root.Identity: true}
	pids := map[int]bool{w.root.PID: true} // of all processes that are or were known
	return func(live []process.Process) []process.Process {
		now := map[int]process.Process{}
		for _, p := range live {
			now[p.PID] = p
		}
		// A number stands for the known process with that PID, until a stranger has it.
		ours := func(pid int) bool {
			p, taken := now[pid]
			return pids[pid] && (!taken || known[p.Identity])
		}
		linked := func(p process.Process) bool {
			if known[p.Identity] {
				return true
			}
			if p.Start < w.root.Start || p.PID == w.root.PID {
				return false
			}
			return ours(p.Parent) || orphans && (ours(p.Group) || ours(p.Session))
		}
		return gather(live, linked, func(p process.Process) {
			known[p.Identity], pids[p.PID] = true, true
		})
	}
}

// kinByPID is kin, but it takes equal PIDs for the same process.
func (w *watch) kinByPID() choice {
	known := map[int]bool{w.root.PID: true}
	return func(live []process.Process) []process.Process {
		linked := func(p process.Process) bool {
			return known[p.PID] || known[p.Parent] || known[p.Group] || known[p.Session]
		}
		return gather(live, linked, func(p process.Process) { known[p.PID] = true })
	}
}

// gather goes over the live processes until a pass finds none: a child may come before
// its parent.
func gather(live []process.Process, linked func(process.Process) bool, found func(process.Process)) []process.Process {
	var chosen []process.Process
	for again := true; again; {
		again = false
		rest := live[:0:0]
		for _, p := range live {
			if !linked(p) {
				rest = append(rest, p)
				continue
			}
			found(p)
			chosen, again = append(chosen, p), true
		}
		live = rest
	}
	return chosen
}
