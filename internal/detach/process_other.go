//go:build !unix

package detach

import (
	"errors"
	"syscall"
)

func closeOnExec(int) {}

func closeInheritedOnExec() error { return errors.ErrUnsupported }

func ownSession() *syscall.SysProcAttr { return nil }
