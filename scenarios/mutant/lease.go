//go:build darwin || linux

package main

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// takeLease locks the lease of a runtime. All processes that inherit the file hold it.
func takeLease(runtime string) (*os.File, error) {
	file, err := os.OpenFile(leasePath(runtime), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return file, syscall.Flock(int(file.Fd()), syscall.LOCK_SH)
}

// surviveExec removes close-on-exec.
func surviveExec(file *os.File) error {
	_, err := unix.FcntlInt(file.Fd(), unix.F_SETFD, 0)
	return err
}

// awaitLease returns when no process holds the lease.
func (w *watch) awaitLease() error {
	for {
		err := syscall.Flock(int(w.lease.Fd()), syscall.LOCK_EX)
		if err != syscall.EINTR {
			return err
		}
	}
}

// leaseFree reports whether no process holds the lease. It does not wait.
func (w *watch) leaseFree() bool {
	return syscall.Flock(int(w.lease.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
