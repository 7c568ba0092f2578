package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
)

var (
	// errNotFound reports a command that is nowhere to be found.
	errNotFound = errors.New("command not found")
	// errNotExecutable reports a file that cannot be run as a program.
	errNotExecutable = errors.New("cannot be executed")
)

// findCommand returns the path of a program as a shell would find it. The
// error is errNotFound or errNotExecutable.
func findCommand(name string) (path string, err error) {
	path, err = exec.LookPath(name)
	switch {
	case err == nil || errors.Is(err, exec.ErrDot):
		return path, nil
	case errors.Is(err, os.ErrNotExist), errors.Is(err, exec.ErrNotFound):
		return "", fmt.Errorf("%s: %w", name, errNotFound)
	default:
		return "", fmt.Errorf("%s: %w: %w", name, errNotExecutable, lookCause(err))
	}
}

// lookCause returns what went wrong without the name, which the errors of
// [exec.LookPath] repeat.
func lookCause(err error) error {
	if e, ok := errors.AsType[*exec.Error](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return err
}
