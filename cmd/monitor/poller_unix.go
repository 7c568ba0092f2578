//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// pollerDescriptors is how many descriptors Go opens to wait with: on Linux an
// epoll and an eventfd, on macOS a kqueue and two pipes, one of them for signals.
const pollerDescriptors = 5

// makePoller has Go's runtime make what it waits with. It does that when it first
// waits, and where no descriptor is left then, it ends the program with a trace
// and no error that could be handled.
func makePoller() error {
	var spare [pollerDescriptors]int
	for i := range spare {
		fd, err := syscall.Open(os.DevNull, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
		if err != nil {
			for _, opened := range spare[:i] {
				syscall.Close(opened)
			}
			return fmt.Errorf("%w; monitor needs some more of them (ulimit -n)", err)
		}
		spare[i] = fd
	}
	for _, fd := range spare {
		syscall.Close(fd)
	}
	read, write, err := os.Pipe() // the first one of a program makes the poller
	if err != nil {
		return err
	}
	return errors.Join(read.Close(), write.Close())
}
