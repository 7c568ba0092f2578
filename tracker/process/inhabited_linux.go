package process

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Inhabited reports whether a process is in a group or session with one of these ids,
// other than a zombie that has one of them as its PID. Like [Reader.Read], which precedes
// it, it is no snapshot. It asks the kernel for two numbers of each process and opens no
// file, so it costs far less. The error is why it cannot tell: /proc may hide processes, or
// cannot be read.
func (r *Reader) Inhabited(ids map[int]bool) (bool, error) {
	return r.inhabited(ids, 0)
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
