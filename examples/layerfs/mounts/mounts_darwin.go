package mounts

import (
	"os"
	"os/exec"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Kind is the type that a mount of macFUSE has.
const Kind = "macfuse"

// table reads the mounts without asking one (getfsstat(2), MNT_NOWAIT).
func table() ([]Mount, error) {
	for room := 64; ; room *= 2 {
		mounts := make([]unix.Statfs_t, room)
		n, err := unix.Getfsstat(mounts, unix.MNT_NOWAIT)
		if err != nil {
			return nil, os.NewSyscallError("getfsstat", err)
		}
		if n == room {
			continue // there may be more
		}
		var all []Mount
		for _, m := range mounts[:n] {
			all = append(all, Mount{
				Point:  unix.ByteSliceToString(m.Mntonname[:]),
				Kind:   unix.ByteSliceToString(m.Fstypename[:]),
				Source: unix.ByteSliceToString(m.Mntfromname[:]),
			})
		}
		return all, nil
	}
}

// Detach takes a mount from its place, also where processes use it.
func Detach(point string) error {
	if err := unix.Unmount(point, unix.MNT_FORCE); err != nil {
		return &os.PathError{Op: "unmount", Path: point, Err: err}
	}
	return nil
}

// Remove unmounts what no process uses. The error is EBUSY otherwise.
func Remove(point string) error {
	if err := unix.Unmount(point, 0); err != nil {
		return &os.PathError{Op: "unmount", Path: point, Err: err}
	}
	return nil
}

// UsersOf returns the processes that lsof(8) finds to use a mount.
func UsersOf(m Mount) (users []User) {
	text, _ := exec.Command("/usr/sbin/lsof", "-Fpc", m.Point).Output()
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "p"):
			pid, _ := strconv.Atoi(line[1:])
			users = append(users, User{PID: pid, How: "uses it"})
		case strings.HasPrefix(line, "c") && len(users) > 0:
			users[len(users)-1].Command = line[1:]
		}
	}
	return users
}
