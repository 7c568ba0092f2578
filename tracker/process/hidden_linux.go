package process

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// errRefusedRows and errNoInit say how it was found that /proc hides processes.
var (
	errRefusedRows = fmt.Errorf("/proc hides the processes of other users: %w", fs.ErrPermission)
	errNoInit      = fmt.Errorf("/proc does not list process 1, so it hides processes: %w", fs.ErrPermission)
)

// A showing is what the last read found out about how much /proc shows.
type showing struct {
	refused bool // a row could not be read
	init    bool // process 1 is there, which lives as long as any other
}

// Partial returns why the last [Reader.Read] did not show all processes, or nil where
// nothing speaks against that. The error is [fs.ErrPermission]: the mount option hidepid
// hides the rows of other users (1), or the processes (2 and 4).
func (r *Reader) Partial() error {
	switch {
	case r.shows.refused:
		return errRefusedRows
	case !r.shows.init:
		return errNoInit
	}
	return nil
}

// AppendHidden appends to the rows of a read the hidden children of the processes in it.
// Of those /proc shows the PID and the parent, in the children file of each thread of the
// parent. Group and session come from the kernel. The rows are [Row.Hidden].
func (r *Reader) AppendHidden(rows []Row) []Row {
	listed := make(map[int]bool, len(rows))
	for i := range rows {
		listed[rows[i].PID] = true
	}
	for _, parent := range rows {
		for _, pid := range childrenOf(parent.PID) {
			if listed[pid] || unix.Tgkill(pid, pid, 0) == unix.ESRCH {
				continue
			}
			listed[pid] = true
			rows = append(rows, r.hiddenRow(pid, parent.PID))
		}
	}
	return rows
}

func (r *Reader) hiddenRow(pid, parent int) Row {
	row := Row{Process: Process{Identity: Identity{PID: pid, Boot: r.boot}, Parent: parent}, Hidden: true}
	// These fail only for a process that has just gone.
	row.Group, _ = unix.Getpgid(pid)
	row.Session, _ = unix.Getsid(pid)
	return row
}

// childrenOf returns the PIDs in the children files of a process. A kernel without
// CONFIG_PROC_CHILDREN has no such files.
func childrenOf(pid int) (children []int) {
	tasks := fmt.Sprintf("/proc/%d/task", pid)
	threads, err := os.ReadDir(tasks)
	if err != nil {
		return nil
	}
	for _, thread := range threads {
		text, err := os.ReadFile(tasks + "/" + thread.Name() + "/children")
		if err != nil {
			continue
		}
		for word := range bytes.FieldsSeq(text) {
			children = append(children, int(number(word)))
		}
	}
	return children
}
