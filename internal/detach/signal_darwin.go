package detach

import (
	"errors"
	"syscall"
)

// resetSignal cannot give a signal its default action: golang.org/x/sys/unix has no
// sigaction(2) for macOS.
func resetSignal(syscall.Signal) error { return errors.ErrUnsupported }
