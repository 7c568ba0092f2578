//go:build !unix

package monitor

import (
	"errors"
	"os"
	"syscall"
)

func keepOnExec(*os.File) (*os.File, error) { return nil, errors.ErrUnsupported }

const sigStop, sigContinue = syscall.SIGKILL, syscall.SIGKILL

func signalName(sig syscall.Signal) string { return sig.String() }

func ownGroup() *syscall.SysProcAttr { return nil }

func killGroup(leader *os.Process) error { return leader.Kill() }
