//go:build !unix

package monitor

import (
	"errors"
	"os"
	"syscall"
)

func keepOnExec(*os.File) (*os.File, error) { return nil, errors.ErrUnsupported }

func closeOnExec(int) {}

func closeInheritedOnExec() error { return errors.ErrUnsupported }

func syncFile(file *os.File) error { return file.Sync() }

func ownSession() *syscall.SysProcAttr { return nil }
