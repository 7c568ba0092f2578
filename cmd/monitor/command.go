package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

var (
	// errNotFound reports a command that does not exist, or not in PATH.
	errNotFound = errors.New("command not found")
	// errNotExecutable reports a file that cannot be run as a program.
	errNotExecutable = errors.New("cannot be executed")
)

// systemPath is searched where PATH is not set, as execvp(3) does.
const systemPath = "/bin:/usr/bin"

// findCommand returns the path of a program, by the rules of execvp(3): the first
// file in PATH that can be executed. Where there is none, but one that may not be, the
// error is errNotExecutable, else errNotFound.
func findCommand(name string) (path string, err error) {
	path, err = search(name)
	switch {
	case err == nil:
		return path, nil
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("%s: %w", name, errNotFound)
	default:
		return "", fmt.Errorf("%s: %w: %w", name, errNotExecutable, lookCause(err))
	}
}

func search(name string) (string, error) {
	if name == "" {
		return "", fs.ErrNotExist
	}
	if strings.ContainsRune(name, filepath.Separator) {
		return exec.LookPath(name)
	}
	refused := error(fs.ErrNotExist)
	for _, dir := range searchPath() {
		// With a separator in its name, LookPath does not search.
		path, err := exec.LookPath(dir + string(filepath.Separator) + name)
		if err == nil {
			return path, nil
		}
		// execve answers EACCES for both.
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EISDIR) {
			refused = err
		}
	}
	return "", refused
}

// searchPath returns the directories of PATH.
func searchPath() []string {
	list, set := os.LookupEnv("PATH")
	if !set {
		list = systemPath
	}
	dirs := strings.Split(list, string(filepath.ListSeparator))
	for i, dir := range dirs {
		if dir == "" {
			dirs[i] = "." // the working directory
		}
	}
	return dirs
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
