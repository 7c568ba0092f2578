//go:build !unix

package monitor

import (
	"errors"
	"os"
	"syscall"
)

func keepOnExec(*os.File) error { return errors.ErrUnsupported }

func closeOnExec(int) {}

func ownSession() *syscall.SysProcAttr { return nil }
