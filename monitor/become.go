package monitor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/gemini-monitor/gemini/internal/detach"
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
	// Monitor is the command line that starts the monitor of the runtime, outside
	// of it: "monitor watch --detach -- NAME".
	Monitor []string
	// Patience is how long the monitor may take to begin.
	Patience time.Duration
}

// Become turns the calling process, the owner of the runtime, into a program:
// same PID, terminal and process group. The program is not started before the
// monitor watches this process, so that no process of the runtime is ever
// unwatched. Become returns only where it fails; then it has removed the runtime
// and ended its monitor. The error is [ErrNoMonitor], or an [os.PathError] of
// "exec".
func (r *Runtime) Become(p Program) error {
	// Opened now, because undo must work when no descriptor is left.
	lock, err := r.openLock()
	if err != nil {
		return errors.Join(err, r.remove())
	}
	defer lock.Close()
	err = r.become(p)
	return errors.Join(err, r.undo(lock, p.Patience))
}

// become takes the lease, starts the monitor and becomes the program.
func (r *Runtime) become(p Program) error {
	lease, err := r.holdLease()
	if err != nil {
		return err
	}
	defer lease.Close()
	if err := r.startMonitor(p); err != nil {
		return err
	}
	return r.exec(lease, p)
}

// exec makes the lease survive exec and becomes the program.
func (r *Runtime) exec(lease *os.File, p Program) error {
	kept, err := keepOnExec(lease)
	if err != nil {
		return r.wrap(fmt.Errorf("cannot pass on its lease: %w", err))
	}
	defer kept.Close() // reached only where exec fails
	env := append(os.Environ(), EnvRuntime+"="+r.name, EnvDirectory+"="+r.Root(), EnvStore+"="+r.store.dir)
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

// startMonitor starts the monitor and waits until it reports that it watches.
func (r *Runtime) startMonitor(p Program) error {
	ctx, cancel := context.WithTimeout(context.Background(), p.Patience)
	defer cancel()
	log, err := os.OpenFile(r.path(logFile), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return r.wrap(fmt.Errorf("cannot start: %w: %w", ErrNoMonitor, cause(err)))
	}
	defer log.Close()
	if err := detach.Start(ctx, p.Monitor, log); err != nil {
		return r.wrap(fmt.Errorf("cannot start: %w: %w%s", ErrNoMonitor, err, r.lastLogLine()))
	}
	return nil
}

// lastLogLine returns the last line of the monitor's log, to be put behind an
// error.
func (r *Runtime) lastLogLine() string {
	text, _ := os.ReadFile(r.path(logFile))
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if last := lines[len(lines)-1]; last != "" {
		return ": " + last
	}
	return ""
}

// undo ends the monitor of a runtime that did not start, and removes the runtime.
func (r *Runtime) undo(lock *os.File, patience time.Duration) error {
	if record, err := r.Record(); err == nil && record.Monitor != nil {
		_ = record.Monitor.Signal(syscall.SIGKILL) // it may have ended by itself
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := r.awaitLock(ctx, lock)
	if errors.Is(err, ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	aside, err := r.setAside()
	lock.Close() // deleting needs a descriptor
	if err != nil {
		return err
	}
	return r.delete(aside)
}
