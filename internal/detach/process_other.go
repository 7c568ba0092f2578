//go:build !darwin && !linux

package detach

import (
	"errors"
	"os"
	"syscall"
)

// Settle is not supported on this system.
func Settle() error { return errors.ErrUnsupported }

func closeOnExec(int) {}

func closeInheritedOnExec() error { return errors.ErrUnsupported }

func ownSession() *syscall.SysProcAttr { return nil }

func startOutside([]string, ...*os.File) error { return errors.ErrUnsupported }

func resetSignals() {}

func unblockSignals() error { return nil }

func shedAttributes() {}
