package main

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

const exitNotice = "bare kqueue NOTE_EXIT"

// watchExit is the smallest way to learn of an exit on macOS.
func watchExit(pid int) (func() error, error) {
	kq, err := register(unix.Kevent_t{Ident: uint64(pid), Filter: unix.EVFILT_PROC, Flags: unix.EV_ADD, Fflags: unix.NOTE_EXIT})
	if err != nil {
		return nil, fmt.Errorf("watch %d: %w", pid, err)
	}
	return func() error { return next(kq) }, nil
}

// watchGone prepares while dir exists. Its wait returns when dir was renamed or removed.
func watchGone(dir string) (func() error, error) {
	fd, err := unix.Open(dir, unix.O_EVTONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", dir, err)
	}
	kq, err := register(unix.Kevent_t{Ident: uint64(fd), Filter: unix.EVFILT_VNODE, Flags: unix.EV_ADD | unix.EV_CLEAR,
		Fflags: unix.NOTE_RENAME | unix.NOTE_DELETE})
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("watch %s: %w", dir, err)
	}
	// A rename between the open and the watch is not reported. So: watch first, then stat.
	if _, err := os.Lstat(dir); err != nil {
		unix.Close(kq)
		unix.Close(fd)
		return nil, err
	}
	return func() error {
		defer unix.Close(fd)
		return next(kq)
	}, nil
}

// register returns a new kqueue with one filter in it.
func register(change unix.Kevent_t) (int, error) {
	kq, err := unix.Kqueue()
	if err != nil {
		return -1, err
	}
	unix.CloseOnExec(kq)
	if _, err := unix.Kevent(kq, []unix.Kevent_t{change}, nil, nil); err != nil {
		unix.Close(kq)
		return -1, err
	}
	return kq, nil
}

// next waits for one event and closes the kqueue.
func next(kq int) error {
	defer unix.Close(kq)
	deadline := time.Now().Add(patience)
	for {
		left := unix.NsecToTimespec(max(0, time.Until(deadline).Nanoseconds()))
		n, err := unix.Kevent(kq, nil, make([]unix.Kevent_t, 1), &left)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return fmt.Errorf("kevent: %w", err)
		case n == 0:
			return fmt.Errorf("nothing within %s", patience)
		}
		return nil
	}
}
