package monitor

import (
	"errors"
	"syscall"
)

// shortage reports whether an error is that the calling process, or the machine, lacks
// descriptors or memory. It says nothing about the file that was to be read.
func shortage(err error) bool {
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}
