//go:build darwin || linux

// Package descriptor lists the open file descriptors of this process, and closes those
// that it inherited.
package descriptor

import (
	"fmt"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// Open returns the numbers of the open descriptors of this process in ascending order.
// The descriptor through which it reads the list is left out. A caller that closes
// descriptors must not use a list that came with an error.
func Open() (open []int, err error) {
	for _, dir := range lists {
		if open, err = read(dir); err == nil {
			return open, nil
		}
	}
	return nil, fmt.Errorf("list the open descriptors: %w", err)
}

// read returns the descriptors by a directory that lists them.
//
// It reads the names and does not stat the entries: macOS returns EBADF for the entry of
// a kqueue in /dev/fd, and Go has one as soon as it polls (xnu
// bsd/miscfs/devfs/devfs_fdesc_support.c, fdesc_attr; golang/go#80143). os.ReadDir does
// stat entries without a type, as they are on macOS.
func read(path string) ([]int, error) {
	dir, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	names, err := dir.Readdirnames(-1)
	own := int(dir.Fd())
	if closed := dir.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, err
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

// Inherited returns the open descriptors from 3 up without close-on-exec. In a Go program
// these are the inherited ones: the runtime and the standard library open their own ones
// close-on-exec.
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
