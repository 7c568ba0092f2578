package process

import (
	"errors"
	"fmt"
)

// Table reads the whole process table, zombies included, in no particular
// order. It is no snapshot: the kernels list the PIDs first and fill in each
// row afterwards, so two rows may contradict each other. A process that the kernel
// hides from this user is not in it (hidepid, on Linux).
func Table() ([]Process, error) {
	r, err := OpenReader()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	rows, err := r.Read(nil)
	processes := make([]Process, len(rows))
	for i := range rows {
		processes[i] = rows[i].Process
	}
	return processes, err
}

// Lookup returns what the kernel reports now of the process with the given PID.
// The error is [ErrGone] when there is none.
func Lookup(pid int) (Process, error) {
	r, err := OpenReader()
	if err != nil {
		return Process{}, err
	}
	defer r.Close()
	row, err := r.Lookup(pid)
	if err != nil {
		return Process{}, fmt.Errorf("look up process %d: %w", pid, err)
	}
	return row.Process, nil
}

// Parent returns the PID of the parent of a process: 1 for an orphan, the real
// parent while a debugger traces the process. The error is [ErrGone] when there
// is no such process.
func Parent(pid int) (int, error) {
	p, err := Lookup(pid)
	return p.Parent, err
}

// Ancestors returns the parent of a process, the parent's parent and so on up
// to PID 1, nearest first, however many there are. The error is [ErrGone] when
// there is no such process.
func Ancestors(pid int) ([]Process, error) {
	return ancestors(pid, Lookup)
}

// IsDescendant reports whether root is an ancestor of pid by the parents that
// the kernel names now. An orphan descends from PID 1 only: package tracker
// follows a tree so that orphans stay in it. A process does not
// descend from itself. The error is [ErrGone] when there is no process pid.
func IsDescendant(pid, root int) (bool, error) {
	line, err := Ancestors(pid)
	for _, p := range line {
		if p.PID == root {
			return true, nil
		}
	}
	return false, err
}

// ancestors walks up with one look-up after the other. A parent may die between
// two of them and its PID may be used again, so a step counts only if the child
// still names that parent afterwards.
func ancestors(pid int, lookup func(int) (Process, error)) ([]Process, error) {
	child, err := lookup(pid)
	if err != nil {
		return nil, err
	}
	var line []Process
	for child.PID != 1 && child.Parent > 0 {
		parent, err := lookup(child.Parent)
		if err != nil && !errors.Is(err, ErrGone) {
			return line, err
		}
		again, lookupErr := lookup(child.PID)
		switch {
		case lookupErr != nil && !errors.Is(lookupErr, ErrGone):
			return line, lookupErr
		case lookupErr != nil || again.Identity != child.Identity:
			if len(line) == 0 {
				return nil, fmt.Errorf("look up process %d: %w", pid, ErrGone)
			}
			// An ancestor died during the walk: the process has another
			// parent now.
			return ancestors(pid, lookup)
		case err != nil || again.Parent != child.Parent:
			child = again
			continue
		}
		line = append(line, parent)
		child = parent
	}
	return line, nil
}
