package table

import (
	"encoding/binary"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// All returns the rows of all processes by PID, zombies included.
func All() (map[int]Row, error) {
	list, err := unix.SysctlKinfoProcSlice("kern.proc.all")
	if err != nil {
		return nil, fmt.Errorf("read the process table: %w", err)
	}
	all := make(map[int]Row, len(list))
	for i := range list {
		row := rowOf(&list[i])
		all[row.PID] = row
	}
	return all, nil
}

// Of returns the row of one process. The error is [ErrNoProcess] if there is none.
func Of(pid int) (Row, error) {
	list, err := unix.SysctlKinfoProcSlice("kern.proc.pid", pid)
	if err != nil {
		return Row{}, fmt.Errorf("read process %d: %w", pid, err)
	}
	if len(list) == 0 {
		return Row{}, ErrNoProcess
	}
	return rowOf(&list[0]), nil
}

// states has the letters of p_stat: SIDL, SRUN, SSLEEP, SSTOP, SZOMB (xnu
// bsd/sys/proc.h).
const states = "?IRSTZ"

func rowOf(p *unix.KinfoProc) Row {
	state := byte('?')
	if at := int(p.Proc.P_stat); at > 0 && at < len(states) {
		state = states[at]
	}
	return Row{
		PID: int(p.Proc.P_pid), Parent: int(p.Eproc.Ppid), Group: int(p.Eproc.Pgid),
		State: state, Ended: state == 'Z', Start: p.Proc.P_starttime.Sec*1_000_000 + int64(p.Proc.P_starttime.Usec),
		Name: unix.ByteSliceToString(p.Proc.P_comm[:]),
	}
}

// Words returns the arguments of a process and, of a process of the same user that is
// not a program of Apple's, its environment (xnu bsd/kern/kern_sysctl.c,
// sysctl_procargsx). It returns nothing for a process that has ended or is a zombie.
func Words(pid int) (arguments, environment []string) {
	text, err := unix.SysctlRaw("kern.procargs2", pid)
	if err != nil || len(text) < 4 {
		return nil, nil
	}
	count := int(binary.LittleEndian.Uint32(text))
	path, rest, _ := strings.Cut(string(text[4:]), "\x00")
	rest = strings.TrimLeft(rest, "\x00") // the path is padded
	all := strings.Split(rest, "\x00")
	if count > len(all) {
		return []string{path}, nil
	}
	for _, word := range all[count:] {
		if word == "" {
			break
		}
		environment = append(environment, word)
	}
	return all[:count], environment
}

// User returns the effective user of a process, -1 if it has ended.
func User(pid int) int {
	list, err := unix.SysctlKinfoProcSlice("kern.proc.pid", pid)
	if err != nil || len(list) == 0 {
		return -1
	}
	return int(list[0].Eproc.Ucred.Uid)
}

// Session returns the session of a process, 0 if it has ended or is a zombie.
func Session(r Row) int {
	session, err := unix.Getsid(r.PID)
	if err != nil {
		return 0
	}
	return session
}
