//go:build darwin || linux

package tracker

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// shell has what a POSIX sh need not have: exec -a, descriptors above 9, and
// variables with names of any kind.
const shell = "/bin/bash"

// startGated starts a shell that becomes the command when release is called: exec
// keeps the PID. The shell ends when the gate is closed without that, for instance
// because this process was killed.
func startGated(cmd *exec.Cmd) (release func() error, err error) {
	if err := runnable(cmd); err != nil {
		return nil, err
	}
	gate, open, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer gate.Close()
	path, args, files := cmd.Path, cmd.Args, cmd.ExtraFiles
	defer func() { cmd.Path, cmd.Args, cmd.ExtraFiles = path, args, files }()
	cmd.ExtraFiles = append(slices.Clip(files), gate)
	cmd.Args = append(gateArgs(cmd, 3+len(files)), argsOf(path, args)...)
	cmd.Path = shell
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, open.Close())
	}
	return sync.OnceValue(func() error {
		_, err := open.Write([]byte("\n"))
		return errors.Join(err, open.Close())
	}), nil
}

// runnable returns why a command cannot be run, as far as that is known before.
func runnable(cmd *exec.Cmd) error {
	switch {
	case cmd.Err != nil:
		return cmd.Err
	case cmd.Process != nil:
		return errors.New("exec: already started")
	}
	path := programOf(cmd)
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		err = unix.EACCES
	default:
		err = unix.Access(path, unix.X_OK)
	}
	if err != nil {
		return &os.PathError{Op: "exec", Path: cmd.Path, Err: err}
	}
	return nil
}

// argsOf returns the name that the command sees as its own, its path and its arguments.
func argsOf(path string, args []string) []string {
	if len(args) == 0 {
		return []string{path, path}
	}
	return append([]string{args[0], path}, args[1:]...)
}

// gateArgs returns the arguments of the shell, up to the script. The variable that
// takes the line has a name that no environment has, and is gone before the exec. Bash
// sets the variables of the working directory; those of the command are put back.
func gateArgs(cmd *exec.Cmd, gate int) []string {
	script := fmt.Sprintf("read -r GEMINI_GATE <&%d || exit 125; unset GEMINI_GATE; ", gate)
	environment := cmd.Environ()
	for _, name := range []string{"IFS", "OPTIND", "PS4", "PWD", "OLDPWD"} {
		script += restore(environment, name)
	}
	script += fmt.Sprintf(`exec -a "$0" "$@" %d<&-`, gate)
	return []string{shell, "-p", "-c", script}
}

// restore returns what gives a variable its value of the environment.
func restore(environment []string, name string) string {
	for _, variable := range environment {
		if value, ok := strings.CutPrefix(variable, name+"="); ok {
			return "export " + name + "='" + strings.ReplaceAll(value, "'", `'\''`) + "'; "
		}
	}
	return "unset " + name + "; "
}

// programOf returns the path of the program as seen from here.
func programOf(cmd *exec.Cmd) string {
	if filepath.IsAbs(cmd.Path) {
		return cmd.Path
	}
	return filepath.Join(cmd.Dir, cmd.Path)
}
