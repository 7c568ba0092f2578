//go:build !darwin && !linux

package detach

import (
	"errors"
	"syscall"
)

// Settle is not supported on this system.
func Settle() error { return errors.ErrUnsupported }

func closeOnExec(int) {}

func closeInheritedOnExec() error { return errors.ErrUnsupported }

func ownSession() *syscall.SysProcAttr { return nil }

func resetSignals() {}

func unblockSignals() error { return nil }

func shedAttributes() {}
