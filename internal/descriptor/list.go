//go:build darwin || linux

// Package descriptor lists this process' open file descriptors.
package descriptor

import (
	"fmt"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// Open returns the numbers of this process' open descriptors in ascending
// order. The descriptor that Open itself reads the list through is left out.
//
// Open reads the names in /dev/fd and looks at none of the entries there:
// macOS answers EBADF for the entry of a kqueue, and Go has one as soon as it
// polls (xnu bsd/miscfs/devfs/devfs_fdesc_support.c, fdesc_attr;
// golang/go#80143). os.ReadDir looks at entries without a type, which
// those are on macOS. A caller that closes descriptors must not go on with
// a list that came with an error.
func Open() ([]int, error) {
	dir, err := os.Open("/dev/fd")
	if err != nil {
		return nil, fmt.Errorf("list the open descriptors: %w", err)
	}
	names, err := dir.Readdirnames(-1)
	own := int(dir.Fd())
	if closed := dir.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, fmt.Errorf("list the open descriptors: %w", err)
	}
	var open []int
	for _, name := range names {
		if fd, err := strconv.Atoi(name); err == nil && fd != own {
			open = append(open, fd)
		}
	}
	slices.Sort(open)
	return open, nil
}

// Inherited returns those of the open descriptors from 3 on that an exec would
// pass on. In a Go program these are the ones it was given: the runtime and
// the standard library open all of theirs close-on-exec.
func Inherited() ([]int, error) {
	open, err := Open()
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(open, func(fd int) bool {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		return fd < 3 || err != nil || flags&unix.FD_CLOEXEC != 0
	}), nil
}
