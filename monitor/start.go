package monitor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
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

// A Start is a command to be run as a runtime of its own.
type Start struct {
	// Name of the runtime; made up from the command where empty.
	Name string
	// Path of the program and its arguments, the first of which is its name.
	Path string
	Args []string
	// Watch returns the command line of the process that is to become the
	// monitor: it has to call [Detach] with what Watch says for that.
	Watch func(name string) []string
	// Patience is how long the monitor may take to begin.
	Patience time.Duration
}

// Run turns the calling process into the command of a new runtime: same PID,
// terminal and process group. It returns only when that cannot be done, with
// nothing left behind. The command is not started before the monitor watches
// this process, so that no process of the runtime is ever unwatched.
func (s *Store) Run(start Start) error {
	name := start.Name
	if name == "" {
		name = NewName(start.Path)
	}
	r, err := s.Create(name, start.Args)
	if err != nil {
		return err
	}
	// Opened now, because undoing must not need a descriptor that may not be
	// had any more.
	lock, err := r.openLock()
	if err != nil {
		return errors.Join(err, r.Remove())
	}
	defer lock.Close()
	err = r.start(start)
	return errors.Join(err, r.undo(lock, start.Patience))
}

// start takes the lease, has a monitor watch and becomes the command.
func (r *Runtime) start(start Start) error {
	lease, err := r.holdLease()
	if err != nil {
		return err
	}
	defer lease.Close()
	if err := r.startMonitor(start); err != nil {
		return err
	}
	return r.exec(lease, start)
}

// exec makes the lease outlive this program and becomes the command.
func (r *Runtime) exec(lease *os.File, start Start) error {
	kept, err := keepOnExec(lease)
	if err != nil {
		return r.wrap(fmt.Errorf("cannot pass on its lease: %w", err))
	}
	defer kept.Close() // reached only where exec fails
	env := append(os.Environ(), EnvRuntime+"="+r.name, EnvDirectory+"="+r.Root(), EnvStore+"="+r.store.dir)
	err = syscall.Exec(start.Path, start.Args, lastOfEach(env))
	if errors.Is(err, syscall.ENOEXEC) {
		// A script that names no interpreter: the shell runs it, as execvp(3)
		// and every shell would have it.
		args := append([]string{"/bin/sh", start.Path}, start.Args[1:]...)
		err = syscall.Exec(args[0], args, lastOfEach(env))
	}
	return &os.PathError{Op: "exec", Path: start.Path, Err: err}
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

// startMonitor has another process watch the runtime and waits until it does.
func (r *Runtime) startMonitor(start Start) error {
	ctx, cancel := context.WithTimeout(context.Background(), start.Patience)
	defer cancel()
	answer, ours, err := os.Pipe()
	if err != nil {
		return r.wrap(fmt.Errorf("cannot start: %w: %w", ErrNoMonitor, err))
	}
	defer answer.Close()
	log, err := os.OpenFile(r.path(logFile), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		ours.Close()
		return r.wrap(fmt.Errorf("cannot start: %w: %w", ErrNoMonitor, cause(err)))
	}
	defer log.Close()
	argv := start.Watch(r.name)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stderr = log
	cmd.ExtraFiles = []*os.File{ours}
	err = cmd.Run()
	ours.Close()
	if err == nil {
		err = awaitReady(ctx, answer)
	}
	if err != nil {
		return r.wrap(fmt.Errorf("cannot start: %w: %w%s", ErrNoMonitor, err, r.lastLogLine()))
	}
	return nil
}

// lastLogLine returns what the monitor said last, to be put behind an error.
func (r *Runtime) lastLogLine() string {
	text, _ := os.ReadFile(r.path(logFile))
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if last := lines[len(lines)-1]; last != "" {
		return ": " + last
	}
	return ""
}

// undo removes a runtime that did not come to be, its monitor first.
func (r *Runtime) undo(lock *os.File, patience time.Duration) error {
	if record, err := r.Record(); err == nil && record.Monitor != nil {
		stop(*record.Monitor)
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

// stop ends a process that has to be ours.
func stop(id process.Identity) {
	p, err := os.FindProcess(id.PID)
	if err != nil {
		return
	}
	defer p.Release()
	if now, err := process.Lookup(id.PID); err == nil && now.Identity == id {
		_ = p.Kill()
	}
}

var (
	// ErrNotFound reports a command that is nowhere to be found.
	ErrNotFound = errors.New("command not found")
	// ErrNotExecutable reports a file that is no program for us.
	ErrNotExecutable = errors.New("cannot be executed")
)

// FindCommand returns the path of a program as a shell would find it. The
// error is [ErrNotFound] or [ErrNotExecutable].
func FindCommand(name string) (path string, err error) {
	path, err = exec.LookPath(name)
	switch {
	case err == nil || errors.Is(err, exec.ErrDot):
		return path, nil
	case errors.Is(err, os.ErrNotExist), errors.Is(err, exec.ErrNotFound):
		return "", fmt.Errorf("%s: %w", name, ErrNotFound)
	default:
		return "", fmt.Errorf("%s: %w: %w", name, ErrNotExecutable, lookCause(err))
	}
}

func lookCause(err error) error {
	if e, ok := errors.AsType[*exec.Error](err); ok {
		return cause(e.Err)
	}
	return err
}
