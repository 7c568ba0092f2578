package kernel

import (
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// Alone reports whether no process can be linked to another one as things are: that has no
// child, and there is no group or session of its making. False means that it may not be
// so. Whether one that leads a group or session is the only one in it takes a look at the
// group and session of each process.
func (k *Kernel) Alone(p process.Row) bool {
	if !childless(p.PID) {
		return false
	}
	if p.Group == p.PID || p.Session == p.PID {
		return k.reader.Sole(p.PID)
	}
	return unix.Kill(-p.PID, 0) == unix.ESRCH
}

// childless reports whether a process has no child, zombies included. A thread's children
// go to another thread when it ends, and that one may have been looked at before. So the
// threads have to be the same ones afterwards (docs/linux.md L52). The files are opened without
// the package os, which would try to have each of them polled.
func childless(pid int) bool {
	tasks, err := unix.Open("/proc/"+strconv.Itoa(pid)+"/task", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(tasks)
	threads, err := namesIn(tasks)
	if err != nil || len(threads) == 0 {
		return false
	}
	for _, thread := range threads {
		if !isEmpty(tasks, thread+"/children") {
			return false
		}
	}
	again, err := namesIn(tasks)
	return err == nil && slices.Equal(threads, again)
}

// isEmpty reports whether a file below a directory is known to be empty.
func isEmpty(dir int, path string) bool {
	fd, err := unix.Openat(dir, path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	n, err := unix.Read(fd, make([]byte, 1))
	return err == nil && n == 0
}

// namesIn returns the sorted names in a directory.
func namesIn(dir int) (names []string, err error) {
	if _, err := unix.Seek(dir, 0, unix.SEEK_SET); err != nil {
		return nil, err
	}
	var entries [4 << 10]byte
	for {
		n, err := unix.Getdents(dir, entries[:])
		if err != nil || n <= 0 {
			slices.Sort(names)
			return names, err
		}
		_, _, names = unix.ParseDirent(entries[:n], -1, names)
	}
}
