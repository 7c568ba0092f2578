package process

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Inhabited reports whether a process is in a group or session with one of these ids,
// other than a zombie that has one of them as its PID. The kernel answers for most ids
// alone, whatever /proc hides. For the others it is asked for two numbers of each process.
// Like [Reader.Read], which precedes it, that is no snapshot, but it opens no file, so it costs
// far less. The error is why it cannot tell: /proc may hide processes, or cannot be read.
func (r *Reader) Inhabited(ids map[int]bool) (bool, error) {
	left := make(map[int]bool)
	for id := range ids {
		if !r.vacant(id) {
			left[id] = true
		}
	}
	if len(left) == 0 {
		return false, nil
	}
	return r.inhabited(left, 0)
}

// vacant reports whether no process is in the group or session with an id, other than a
// zombie that has it as its PID. False means that one may be. What is vacant stays so unless
// the process with that PID makes a group or session (docs/linux.md L54), which no dead one does.
func (r *Reader) vacant(id int) bool {
	if _, err := unix.FcntlInt(uintptr(r.proc), unix.F_SETOWN, id); err == unix.ESRCH {
		return true // no process, group or session has the id (docs/linux.md L53)
	}
	if unix.Kill(-id, 0) != unix.ESRCH {
		return false
	}
	session, err := unix.Getsid(id) // of a zombie too (docs/linux.md L50)
	return err == nil && session != id
}

// Sole reports whether a process is the only one in the groups and sessions with its PID,
// as far as [Reader.Inhabited] can tell.
func (r *Reader) Sole(pid int) bool {
	others, err := r.inhabited(map[int]bool{pid: true}, pid)
	return err == nil && !others
}

// inhabited is Inhabited without regard to one process.
func (r *Reader) inhabited(ids map[int]bool, except int) (bool, error) {
	if err := r.Partial(); err != nil {
		return false, err
	}
	if r.shows.own && r.mayHide() {
		return false, errRefusedRows
	}
	init := false
	err := r.eachName(func(name []byte) error {
		pid := int(number(name))
		init = init || pid == 1
		if pid != except && inhabits(pid, ids) && !(ids[pid] && !lives(pid)) {
			return errInhabited
		}
		return nil
	})
	switch {
	case errors.Is(err, errInhabited):
		return true, nil
	case err == nil && !init:
		err = errNoInit
	}
	return false, err
}

// errInhabited ends the look at the names.
var errInhabited = errors.New("inhabited")

// inhabits reports whether a process is in a group or session with one of these ids, or may
// be. It is in none when it has gone (docs/linux.md L50). One that makes a session between
// the two calls leaves the group as well, as it could have done before them.
func inhabits(pid int, ids map[int]bool) bool {
	group, err := unix.Getpgid(pid)
	if err == nil && !ids[group] {
		group, err = unix.Getsid(pid)
	}
	return err == nil && ids[group] || err != nil && err != unix.ESRCH
}
