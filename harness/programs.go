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
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gemini-monitor/gemini/harness/internal/scratch"
	"github.com/gemini-monitor/gemini/harness/internal/wire"
)

// The environment of a test run.
const (
	// programsVariable names a directory. A program that it has is not built.
	programsVariable = "HARNESS_PROGRAMS"
	// execVariable is a command that runs programs, as with go test -exec.
	execVariable = "HARNESS_EXEC"
	// reportsVariable names the directory of reports.
	reportsVariable = "HARNESS_REPORTS"
)

// An Option changes a stage.
type Option func(*Stage) error

// Program puts a program into the PATH of the stage. Its name there is the last element of
// the path of its package, also for ".", or of the file.
//
// The name of a package is "./cmd/x" for one below the package under test, "." for that
// package itself, or an import path. The package is built with the go command, once for all
// stages of the process, with the -tags of the tests, with their -race (-msan, -asan) unless
// CGO_ENABLED is 0, and with -cover if the environment has GOCOVERDIR. A program with -race
// gets GORACE of the environment, and atexit_sleep_ms=0 if there is none.
//
// If HARNESS_PROGRAMS names a directory, a program of that name in it is taken instead, so
// that a compiled test needs no go command; one that it does not have is built. A relative
// path begins in the directory of the tests: go test runs those of a package in that of the
// package.
//
// The path of an executable file is taken as it is.
func Program(name string) Option {
	return func(*Stage) error { return programs.add(name) }
}

// Build builds a package as [Program] does and returns the path of the program. A suite
// that runs in several processes calls it in one of them and gives the path to Program in
// all. [Main] removes the program at the end of the process that built it.
func Build(name string) (path string, err error) { return programs.build(name) }

// Grace sets how long a process may live on after the test if its command had ended before,
// a daemon for example. Then the stage kills it and fails the test. The default is 10 s. A
// puppet is no such process: the stage ends it with the test. A test that has failed before
// waits 0.25 s at most: its report is what counts.
func Grace(limit time.Duration) Option {
	return func(s *Stage) error { s.grace = limit; return nil }
}

// programs has the programs of all stages of this process.
var programs drawer

// A drawer is a directory that comes first in the PATH of each stage: the puppet and the
// programs under test, as links or as scripts that run them through HARNESS_EXEC. It is in
// the temporary directory of the process, as are the programs that were built and the
// stages.
type drawer struct {
	mu      sync.Mutex
	scratch *scratch.Dir      // nil before the first use
	stages  int               // number of directories for stages that were made
	dir     string            // empty before the first use
	built   string            // directory of what build has built, empty before the first use
	found   map[string]string // path of each program, by the name that was asked for
	names   map[string]string // what was asked for, by the name in PATH
}

// make makes a directory in that of the process. Its caller holds mu.
func (d *drawer) make(name string, mode os.FileMode) (string, error) {
	if d.scratch == nil {
		scratch.Sweep()
		var err error
		if d.scratch, err = scratch.New(); err != nil {
			return "", err
		}
	}
	dir := filepath.Join(d.scratch.Path(), name)
	if err := os.Mkdir(dir, mode); err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, mode) // whatever the umask takes away
}

// place makes the directory of a stage.
func (d *drawer) place() (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stages++
	return d.make(strconv.Itoa(d.stages), 0o700)
}

// open makes the directory and puts the puppet into it.
func (d *drawer) open() (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dir != "" {
		return d.dir, nil
	}
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	// Others than the user of the tests run these programs, too.
	if d.dir, err = d.make("programs", 0o755); err != nil {
		return "", err
	}
	d.names = map[string]string{}
	return d.dir, d.put(string(wire.Puppet), self, wire.RoleFlag+string(wire.Puppet))
}

// put links a name in the directory to a program, or writes a script that runs it with
// the flags through HARNESS_EXEC by exec: with the same PID, descriptors and arguments.
func (d *drawer) put(name, program, flag string) error {
	target := filepath.Join(d.dir, name)
	runner := os.Getenv(execVariable)
	if runner == "" {
		return os.Symlink(program, target)
	}
	script := fmt.Sprintf("#!/bin/sh\nexec %s %s %s \"$@\"\n", runner, word(program), flag)
	return os.WriteFile(target, []byte(script), 0o755)
}

// add makes a program part of the directory.
func (d *drawer) add(name string) error {
	if _, err := d.open(); err != nil {
		return err
	}
	path, err := d.build(name)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	base := baseOf(name)
	switch d.names[base] {
	case name:
		return nil
	case "":
		if base == string(wire.Puppet) { // a smaller one than the test binary
			if err := os.Remove(filepath.Join(d.dir, base)); err != nil {
				return err
			}
		}
		if err := d.put(base, path, ""); err != nil {
			return err
		}
		d.names[base] = name
		return nil
	}
	return fmt.Errorf("program %s: %s has the same name", name, d.names[base])
}

// baseOf returns the name of a program in PATH: the last element of the name of its
// package. The name of the package under test, ".", is in its test binary, wherever that
// runs.
func baseOf(name string) string {
	if name = filepath.Clean(name); name == "." {
		if info, ok := debug.ReadBuildInfo(); ok {
			name = strings.TrimSuffix(info.Path, ".test")
		}
	}
	return filepath.Base(name)
}

// build returns the path of a program. It builds a package once.
func (d *drawer) build(name string) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if path, known := d.found[name]; known {
		return path, nil
	}
	path, err := d.find(name)
	if err != nil {
		return "", fmt.Errorf("program %s: %w", name, err)
	}
	if d.found == nil {
		d.found = map[string]string{}
	}
	d.found[name] = path
	return path, nil
}

// find returns the path of a program that exists, or builds it.
func (d *drawer) find(name string) (string, error) {
	if dir := os.Getenv(programsVariable); dir != "" {
		dir, err := filepath.Abs(dir)
		if err != nil {
			return "", err
		}
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return "", fmt.Errorf("%s is not a directory: %s", programsVariable, dir)
		}
		if path := filepath.Join(dir, baseOf(name)); isFile(path) {
			return path, nil
		}
	}
	if isFile(name) {
		path, err := exec.LookPath(name)
		if errors.Is(err, exec.ErrDot) {
			err = nil
		}
		if err != nil {
			return "", err
		}
		return filepath.Abs(path)
	}
	var err error
	if d.built == "" {
		if d.built, err = d.make("built", 0o755); err != nil {
			return "", err
		}
	}
	target := filepath.Join(d.built, baseOf(name))
	return target, goBuild(name, target)
}

// goBuild builds a package for the system of the tests, as the tests were built.
func goBuild(name, target string) error {
	arguments := append([]string{"build", "-o", target}, buildFlags(buildSettings(), os.Getenv("CGO_ENABLED") != "0")...)
	if os.Getenv("GOCOVERDIR") != "" {
		arguments = append(arguments, "-cover")
	}
	ctx, cancel := context.WithTimeout(context.Background(), buildPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", append(arguments, name)...)
	cmd.Env = append(os.Environ(), "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
	out, err := cmd.CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("%w; %s can name a directory that has the program", err, programsVariable)
	}
	if err != nil {
		return fmt.Errorf("%w\n%s", err, strings.TrimSpace(string(out)))
	}
	if info, err := os.Stat(target); err != nil || info.Mode()&0o111 == 0 {
		return errors.New("it is not a main package")
	}
	return nil
}

// buildSettings returns how this program was built: the settings of package debug by their
// keys.
func buildSettings() map[string]string {
	built := map[string]string{}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			built[s.Key] = s.Value
		}
	}
	return built
}

// buildFlags returns the flags of the go command with which a program with these settings
// was built: -tags, and if the C compiler may be used also -race, -msan and -asan.
func buildFlags(built map[string]string, cgo bool) (flags []string) {
	for _, name := range []string{"-race", "-msan", "-asan"} {
		if cgo && built[name] == "true" {
			flags = append(flags, name)
		}
	}
	if tags := built["-tags"]; tags != "" {
		flags = append(flags, "-tags="+tags)
	}
	return flags
}

// buildPatience bounds a build that hangs.
const buildPatience = 5 * time.Minute

// image returns the path of the program that is puppet and warden: the test binary, or a
// smaller one that was added as "puppet".
func (d *drawer) image() (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if name := d.names[string(wire.Puppet)]; name != "" {
		return d.found[name], nil
	}
	return os.Executable()
}

// remove removes the temporary directory of the process.
func (d *drawer) remove() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.scratch == nil {
		return nil
	}
	return d.scratch.Remove()
}

// isFile reports whether a path is that of a file, not a directory.
func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
