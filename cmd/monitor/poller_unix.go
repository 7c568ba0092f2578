//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// limitSignals are the signals of a limit that ends a monitor: SIGXCPU comes a second
// before the limit of processor time.
var limitSignals = []os.Signal{syscall.SIGXCPU}

// pollerDescriptors is how many descriptors Go's poller takes: on Linux an
// epoll and an eventfd, on macOS a kqueue and two pipes, one of them for signals.
const pollerDescriptors = 5

// makePoller makes Go's runtime open its poller now. The runtime opens it at the
// first wait. Where no descriptor is left then, the runtime ends the program with a
// trace, and no error can be handled. makePoller returns an error instead.
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
