package monitor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/gemini-monitor/gemini/internal/mark"
	"github.com/gemini-monitor/gemini/internal/origin"
)

// The environment of processes inside a runtime.
const (
	// EnvRuntime is the name of the runtime.
	EnvRuntime = "MONITOR_RUNTIME"
	// EnvDirectory is the runtime's own directory.
	EnvDirectory = "MONITOR_RUNTIME_DIR"
	// EnvStore is the store that the runtime is in.
	EnvStore = "MONITOR_STORE"
)

// ErrNoMonitor reports that a runtime was not started because its monitor did
// not begin to watch it.
var ErrNoMonitor = errors.New("its monitor did not start")

// A Program is what the owner of a runtime becomes.
type Program struct {
	// Path of the program, and its arguments, the first of which is its name.
	Path string
	Args []string
	// Keeper has the runtime watched before the program begins.
	Keeper Keeper
	// Patience is how long the monitor may take to begin. Time in which this process
	// is stopped does not count.
	Patience time.Duration
	// Spare, if it is set, closes what the caller has open for the start. It is called where
	// the start has failed, before the runtime is undone: to delete files takes descriptors.
	Spare func()

	marks []string
}

// spare has the caller close what it has open for the start.
func (p Program) spare() {
	if p.Spare != nil {
		p.Spare()
	}
}

// exec makes the lease survive exec and becomes the program.
func (r *Runtime) exec(told *ear, lease *os.File, p Program) error {
	kept, err := keepOnExec(lease)
	if err != nil {
		return r.wrap(fmt.Errorf("cannot pass on its lease: %w", err))
	}
	defer kept.Close() // reached only where exec fails
	signals, unknown := origin.AtStart()
	env := append(mark.Set(os.Environ(), p.marks), EnvRuntime+"="+r.name, EnvDirectory+"="+r.Root(), EnvStore+"="+r.store.dir)
	// From here on a signal ends this process, as it would end the program. Then the
	// monitor removes the runtime.
	if err := told.close(); err != nil {
		return err
	}
	if unknown == nil { // else they stay as Go has left them
		defer signals.Restore()()
	}
	err = syscall.Exec(p.Path, p.Args, lastOfEach(env))
	if errors.Is(err, syscall.ENOEXEC) {
		// The shell runs a script that names no interpreter, as execvp(3) and
		// shells do (docs/linux.md L24).
		args := append([]string{"/bin/sh", p.Path}, p.Args[1:]...)
		err = syscall.Exec(args[0], args, lastOfEach(env))
	}
	return &os.PathError{Op: "exec", Path: p.Path, Err: err}
}

// lastOfEach drops all but the last setting of a variable. Programs disagree
// on which one counts.
func lastOfEach(env []string) []string {
	last := make(map[string]int)
	for i, setting := range env {
		name, _, _ := strings.Cut(setting, "=")
		last[name] = i
	}
	var kept []string
	for i, setting := range env {
		if name, _, _ := strings.Cut(setting, "="); last[name] == i {
			kept = append(kept, setting)
		}
	}
	return kept
}

// beWatched returns when the runtime is watched.
func (r *Runtime) beWatched(told *ear, p Program) error {
	ctx, done := withPatience(told, p.Patience)
	defer done()
	if err := p.Keeper.Watch(ctx, r); err != nil {
		return r.wrap(fmt.Errorf("cannot start: %w: %w", ErrNoMonitor, err))
	}
	return nil
}

// undo ends the watching of a runtime that did not start, and removes the runtime. One that
// was idle before, with that record, is idle again.
func (r *Runtime) undo(lock *os.File, before *Record, p Program) error {
	ctx, done := withPatience(context.Background(), p.Patience)
	defer done()
	err := r.awaitLock(ctx, lock, func() { p.Keeper.Leave(ctx, r) })
	if errors.Is(err, ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if before != nil {
		return r.restore(*before)
	}
	aside, err := r.setAside()
	lock.Close() // deleting needs a descriptor
	if err != nil {
		return err
	}
	return r.delete(aside)
}
