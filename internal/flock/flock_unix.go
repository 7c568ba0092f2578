//go:build unix

// Package flock takes locks on open files.
package flock

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// Try takes a lock on an open file, exclusive or shared, without waiting. It reports
// whether the file has the lock.
//
// The lock is flock(2). It belongs to the open file: a process that inherits the
// descriptor holds it too, and it is free when the last copy of the descriptor is
// closed (docs/xnu.md X31; docs/linux.md L21).
func Try(file *os.File, alone bool) (bool, error) {
	how := unix.LOCK_SH
	if alone {
		how = unix.LOCK_EX
	}
	err := flock(file, how|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

// Release releases the lock on an open file.
func Release(file *os.File) error { return flock(file, unix.LOCK_UN) }

func flock(file *os.File, how int) error {
	for {
		err := unix.Flock(int(file.Fd()), how)
		if err != unix.EINTR {
			return os.NewSyscallError("flock", err)
		}
	}
}
