package main

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

const exitNotice = "bare pidfd wait"

// watchExit is the smallest way to learn of an exit on Linux: a pidfd and poll(2).
func watchExit(pid int) (func() error, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil, fmt.Errorf("pidfd of %d: %w", pid, err)
	}
	return func() error { return readable(fd) }, nil
}

// watchGone prepares while dir exists. Its wait returns when dir was renamed or removed.
func watchGone(dir string) (func() error, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("inotify: %w", err)
	}
	if _, err := unix.InotifyAddWatch(fd, dir, unix.IN_MOVE_SELF|unix.IN_DELETE_SELF); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("watch %s: %w", dir, err)
	}
	return func() error { return readable(fd) }, nil
}

// readable waits until fd is readable. A goroutine closes fd: the close of an inotify
// takes milliseconds in the kernel, which are no part of the latency.
func readable(fd int) error {
	defer func() { go unix.Close(fd) }()
	deadline := time.Now().Add(patience)
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(time.Until(deadline).Milliseconds()))
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return fmt.Errorf("poll: %w", err)
		case n == 0:
			return fmt.Errorf("nothing within %s", patience)
		}
		return nil
	}
}
