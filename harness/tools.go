//go:build darwin || linux

package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Tools are the programs of a suite. Their directory comes first in the PATH of each
// stage.
type Tools struct{ Dir string }

const module = "github.com/gemini-monitor/gemini"

// Build builds programs of this module by name, "puppet" and "monitor", with the go
// command. If the environment has GEMINI_PUPPET or GEMINI_MONITOR, it takes the program
// at that path instead. If GEMINI_EXEC is set, it is the command that runs the programs,
// as with go test -exec.
//
// Call it once for all processes of a suite, before any other process is started, and
// call Remove at the end.
func Build(ctx context.Context, names ...string) (Tools, error) {
	dir, err := os.MkdirTemp("", "tools")
	if err != nil {
		return Tools{}, err
	}
	tools := Tools{Dir: dir}
	for _, name := range names {
		if err := tools.add(ctx, name); err != nil {
			return Tools{}, errors.Join(err, tools.Remove())
		}
		tools.runOnce(ctx, name)
	}
	return tools, nil
}

// runOnce runs a program without arguments and ignores the outcome. On macOS XProtect
// checks a program when it first runs, one program at a time, for some tenths of a
// second. The first spec does not wait for that.
func (t Tools) runOnce(ctx context.Context, name string) {
	cmd := exec.CommandContext(ctx, filepath.Join(t.Dir, name))
	cmd.Env = []string{}
	_ = cmd.Run()
}

// Remove removes the directory that Build made.
func (t Tools) Remove() error { return os.RemoveAll(t.Dir) }

// add puts one program into the directory: built, as a link, or as a script that runs
// it through GEMINI_EXEC.
func (t Tools) add(ctx context.Context, name string) error {
	variable := "GEMINI_" + strings.ToUpper(name)
	target := filepath.Join(t.Dir, name)
	runner := os.Getenv("GEMINI_EXEC")
	given := os.Getenv(variable)
	if given == "" {
		if runner == "" {
			return build(ctx, name, target)
		}
		given = target + ".bin"
		if err := build(ctx, name, given); err != nil {
			return err
		}
	}
	given, err := filepath.Abs(given)
	if err != nil {
		return err
	}
	if _, err := exec.LookPath(given); err != nil {
		return fmt.Errorf("%s: %w", variable, err)
	}
	if runner == "" {
		return os.Symlink(given, target)
	}
	return delegate(target, runner, given)
}

// build builds a program of this module for the system of the suite.
func build(ctx context.Context, name, target string) error {
	home := "/cmd/"
	if name == "puppet" {
		home = "/harness/"
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", target, module+home+name)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", name, err, out)
	}
	return nil
}

// delegate writes a script to target that runs program through runner by exec, with
// the same PID, descriptors and arguments.
func delegate(target, runner, program string) error {
	script := fmt.Sprintf("#!/bin/sh\nexec %s '%s' \"$@\"\n", runner, program)
	return os.WriteFile(target, []byte(script), 0o755)
}
