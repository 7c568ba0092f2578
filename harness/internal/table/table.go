//go:build darwin || linux

// Package table reads the process table of the machine. It starts no program.
package table

import (
	"errors"
	"maps"
	"slices"
)

// A Row is what the kernel shows of one process.
type Row struct {
	PID, Parent, Group int
	// State is the letter that ps shows: R, S, D, T, Z and others. On macOS a sleeping
	// process is R as well: the kernel has that state by thread.
	State byte
	// Ended reports a zombie: it has ended and is not reaped.
	Ended bool
	// Start is the start time in the unit of the kernel: clock ticks since boot on Linux,
	// microseconds since 1970 on macOS. No two processes share PID and Start.
	Start int64
	// Name is the name of the program, cut to 15 (Linux) or 16 bytes (macOS).
	Name string
	// Session is the session on Linux. On macOS a row does not have it: see [Session].
	Session int
}

// ErrNoProcess reports that no process has the PID.
var ErrNoProcess = errors.New("no such process")

// Below returns the PIDs of all descendants of a process that are in a table, in
// ascending order.
func Below(all map[int]Row, root int) []int {
	children := map[int][]int{}
	for _, r := range all {
		children[r.Parent] = append(children[r.Parent], r.PID)
	}
	found := map[int]bool{}
	var visit func(int)
	visit = func(pid int) {
		for _, child := range children[pid] {
			if child != root && !found[child] {
				found[child] = true
				visit(child)
			}
		}
	}
	visit(root)
	return slices.Sorted(maps.Keys(found))
}
