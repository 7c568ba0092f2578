package room

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// limits returns the limits of the cgroups around this process and of the user. Root has
// no limit as a user.
func limits() ([]limit, error) {
	all, err := pidsOf("/proc/self/cgroup")
	if err != nil || os.Getuid() == 0 {
		return all, err
	}
	tasks, err := tasksOf(os.Getuid())
	if err != nil {
		return nil, err
	}
	user, err := userLimit(tasks)
	return append(all, user...), err
}

// tasksOf returns the number of threads of a user, which RLIMIT_NPROC bounds on Linux
// (setrlimit(2)). It does not count processes that /proc hides.
func tasksOf(uid int) (tasks int, err error) {
	processes, err := filepath.Glob("/proc/[0-9]*")
	for _, dir := range processes {
		info, err := os.Stat(dir)
		if err != nil || int(info.Sys().(*syscall.Stat_t).Uid) != uid {
			continue // of another user, or it has ended
		}
		threads, _ := os.ReadDir(filepath.Join(dir, "task"))
		tasks += len(threads)
	}
	return tasks, err
}

// pidsOf returns the limits of the cgroup that a file in the form of /proc/self/cgroup
// names, and of those around it, if version 2 is mounted (cgroups(7)).
func pidsOf(file string) (all []limit, err error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // a kernel without cgroups
	}
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::")
		for ok && path != "/" && path != "." {
			dir := filepath.Join("/sys/fs/cgroup", path)
			if most, limited := number(dir, "pids.max"); limited {
				now, _ := number(dir, "pids.current")
				all = append(all, limit{most: most, now: now})
			}
			path = filepath.Dir(path)
		}
	}
	return all, nil
}

// number reads a number from a file of a cgroup. ok is false if there is no file or if it
// has "max".
func number(dir, file string) (n uint64, ok bool) {
	text, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		return 0, false
	}
	n, err = strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	return n, err == nil
}
