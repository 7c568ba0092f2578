package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
)

var (
	// errNotFound reports a command that does not exist, or not in PATH.
	errNotFound = errors.New("command not found")
	// errNotExecutable reports a file that cannot be run as a program.
	errNotExecutable = errors.New("cannot be executed")
)

// findCommand returns the path of a program, by the rules of a shell. The
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

// lookCause returns the cause of an error without the name, which the errors of
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
