package erase

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// enter opens a directory below an open one for reading, and lets its owner in where
// that is needed. The error is [ErrMounted] where it is a mount point: openat2(2) with
// RESOLVE_NO_XDEV refuses those, bind mounts of the same file system too.
func enter(parent int, name string) (*os.File, error) {
	at, err := openBeside(parent, name)
	if err != nil {
		return nil, err
	}
	defer unix.Close(at)
	var stat unix.Stat_t
	if err := unix.Fstat(at, &stat); err != nil {
		return nil, err
	}
	if stat.Mode&0o700 != 0o700 {
		// An O_PATH descriptor cannot be given to fchmod(2). Its entry in /proc
		// names the very directory.
		if err := unix.Chmod("/proc/self/fd/"+strconv.Itoa(at), 0o700); err != nil {
			return nil, err
		}
	}
	fd, err := openat(at, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}

// openBeside opens a directory on the mount that parent is on, without access to it.
func openBeside(parent int, name string) (fd int, err error) {
	const flags = unix.O_PATH | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	err = retry(func() error {
		fd, err = unix.Openat2(parent, name, &unix.OpenHow{Flags: flags, Resolve: unix.RESOLVE_NO_XDEV | unix.RESOLVE_BENEATH})
		return err
	})
	switch err {
	case unix.EXDEV:
		return -1, ErrMounted
	case unix.ENOSYS, unix.EPERM: // before Linux 5.6, or a filter that does not know it
		return openCompared(parent, name, flags)
	}
	return fd, err
}

// openCompared does the same where there is no openat2: it compares the mounts of the
// two descriptors.
func openCompared(parent int, name string, flags int) (int, error) {
	fd, err := openat(parent, name, flags)
	if err != nil {
		return -1, err
	}
	above, err := mountOf(parent)
	if err == nil {
		var here string
		if here, err = mountOf(fd); err == nil && here != above {
			err = ErrMounted
		}
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func openat(parent int, name string, flags int) (fd int, err error) {
	err = retry(func() error {
		fd, err = unix.Openat(parent, name, flags, 0)
		return err
	})
	return fd, err
}

// mountOf returns the id of the mount that an open file is on (proc_pid_fdinfo(5)).
func mountOf(fd int) (string, error) {
	text, err := os.ReadFile("/proc/self/fdinfo/" + strconv.Itoa(fd))
	if err != nil {
		return "", err
	}
	for line := range bytes.Lines(text) {
		if id, ok := bytes.CutPrefix(line, []byte("mnt_id:")); ok {
			return string(bytes.TrimSpace(id)), nil
		}
	}
	return "", fmt.Errorf("no mount of descriptor %d is known: %w", fd, errors.ErrUnsupported)
}
