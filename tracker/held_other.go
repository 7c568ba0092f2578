//go:build !darwin && !linux

package tracker

import (
	"errors"
	"os/exec"
)

func startHeld(*exec.Cmd) (release func() error, err error) { return nil, errors.ErrUnsupported }
