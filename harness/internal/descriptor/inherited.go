//go:build darwin || linux

// Package descriptor lists the file descriptors that this process has inherited.
package descriptor

import (
	"fmt"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// Inherited returns the open descriptors from 3 up without close-on-exec, in ascending
// order. In a Go program these are the inherited ones: the runtime and the standard
// library open their own ones close-on-exec.
//
// Inherited reads the names in /dev/fd and does not stat the entries: macOS returns EBADF
// for the entry of a kqueue, and Go has one as soon as it polls (golang/go#80143).
func Inherited() ([]int, error) {
	dir, err := os.Open("/dev/fd")
	if err != nil {
		return nil, fmt.Errorf("list the open descriptors: %w", err)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("list the open descriptors: %w", err)
	}
	var inherited []int
	for _, name := range names {
		fd, err := strconv.Atoi(name)
		if err != nil || fd < 3 {
			continue
		}
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err == nil && flags&unix.FD_CLOEXEC == 0 { // dir is close-on-exec
			inherited = append(inherited, fd)
		}
	}
	slices.Sort(inherited)
	return inherited, nil
}
