package process

import (
	"errors"
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
	own     bool // and belongs to the user of this process, so others can be hidden all the same
	hidden  bool // a child of a process is not there
}

// Partial returns why the last [Reader.Read] did not show all processes, or nil where
// nothing speaks against that. The error is [fs.ErrPermission]: the mount option hidepid
// hides the rows of other users (1), or the processes (2 and 4).
func (r *Reader) Partial() error {
	switch {
	case r.shows.refused, r.shows.hidden:
		return errRefusedRows
	case !r.shows.init:
		return errNoInit
	}
	return nil
}

// see takes note of a row that was read.
func (s *showing) see(p *Row) {
	if p.PID == 1 {
		s.init, s.own = true, p.User == os.Geteuid()
	}
}

// AppendHidden appends to the rows of a read the hidden children of the processes in it.
// Of those /proc shows the PID and the parent, in the children file of each thread of the
// parent. Group and session come from the kernel. The rows are [Row.Hidden].
func (r *Reader) AppendHidden(rows []Row) []Row {
	listed := pidsOf(rows)
	for _, parent := range rows {
		for _, pid := range r.childrenOf(parent.PID) {
			if listed[pid] || !lives(pid) {
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

func pidsOf(rows []Row) map[int]bool {
	pids := make(map[int]bool, len(rows))
	for i := range rows {
		pids[rows[i].PID] = true
	}
	return pids
}

// hidesChild reports whether a process in the rows of a read has a child that is hidden.
// Where process 1 is in the rows, there is one if any process is hidden: the nearest
// ancestor that is not hidden has a hidden child. A kernel without children files cannot
// tell, and is taken to hide one.
func (r *Reader) hidesChild(rows []Row) bool {
	if unix.Access("/proc/1/task/1/children", unix.F_OK) != nil {
		return true
	}
	listed := pidsOf(rows)
	for _, parent := range rows {
		for _, pid := range r.childrenOf(parent.PID) {
			if listed[pid] || !lives(pid) {
				continue
			}
			if _, err := r.Lookup(pid); errors.Is(err, fs.ErrPermission) {
				return true // and is not only younger than the list
			}
		}
	}
	return false
}

// lives reports whether a process that may be hidden has not ended. A zombie has.
func lives(pid int) bool {
	if unix.Tgkill(pid, pid, 0) == unix.ESRCH {
		return false
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return err != unix.ESRCH
	}
	defer unix.Close(fd)
	ended := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(ended, 0)
		if err != unix.EINTR {
			return n != 1
		}
	}
}

// childrenOf returns the PIDs in the children files of a process. A kernel without
// CONFIG_PROC_CHILDREN has no such files. Each file is read with one call as far as the
// kernel allows: between two calls a child that ends can make it pass over another.
func (r *Reader) childrenOf(pid int) (children []int) {
	tasks := fmt.Sprintf("/proc/%d/task", pid)
	threads, err := os.ReadDir(tasks)
	if err != nil {
		return nil
	}
	for _, thread := range threads {
		fd, err := openRetry(unix.AT_FDCWD, []byte(tasks+"/"+thread.Name()+"/children\x00"))
		if err != nil {
			continue
		}
		_ = r.eachPart(fd, ' ', func(word []byte) bool {
			children = append(children, int(number(word)))
			return true
		})
		unix.Close(fd)
	}
	return children
}
