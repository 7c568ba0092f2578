package monitor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/gemini-monitor/gemini/internal/mark"
)

// A Hook is a command that a monitor runs when its runtime is empty, before it removes the
// runtime: at least once, and again until it ends well. It is no member, and what it leaves
// behind is none.
type Hook struct {
	// Command is what runs, by its path.
	Command []string `json:"command"`
	// Environment and Directory are its surroundings.
	Environment []string `json:"environment"`
	Directory   string   `json:"directory"`
	// Limit is how long it may take before it is killed. 0 is no limit.
	Limit Seconds `json:"limit,omitzero"`
}

// The environment of an on-empty command, beside that of its runtime.
const (
	// EnvEndedBy is how the runtime has ended: "ended" by itself, or a [Cause].
	EnvEndedBy = "MONITOR_ENDED_BY"
	// EnvRepeated is "1" where the command was started before, and "0" else.
	EnvRepeated = "MONITOR_REPEATED"
)

const hookFile = "on-empty.json"

// write writes the hook into the directory of a new runtime. It is apart from the record,
// which commands print: an environment has secrets.
func (h *Hook) write(dir string) error {
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	return makeFile(filepath.Join(dir, hookFile), text)
}

func readHook(dir string) (*Hook, error) {
	text, err := readRegular(filepath.Join(dir, hookFile))
	if err != nil {
		return nil, err
	}
	h := new(Hook)
	if err := json.Unmarshal(text, h); err != nil {
		return nil, err
	}
	if len(h.Command) == 0 {
		return nil, errors.New("it names no command")
	}
	return h, nil
}

// A hookRunner runs the on-empty command of one runtime, in a goroutine of its own.
type hookRunner struct {
	ended bell               // the command has ended, and the life does not know it yet
	forgo requests[struct{}] // that it is given up

	mu     sync.Mutex
	err    error // of the last run
	cancel context.CancelFunc
	going  sync.WaitGroup
}

// start runs the command.
func (h *hookRunner) start(run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	h.mu.Lock()
	h.cancel = cancel
	h.mu.Unlock()
	h.going.Go(func() {
		defer cancel()
		err := run(ctx)
		h.mu.Lock()
		h.err = err
		h.mu.Unlock()
		h.ended.ring()
	})
}

// outcome returns how the command has ended, as an event.
func (h *hookRunner) outcome() event {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err != nil {
		return event{kind: unhooked, reason: reasonUnhooked + h.err.Error()}
	}
	return event{kind: hooked}
}

// kill kills the command if it runs, and does not wait for its end: a process that waits for a
// dead file server does not end.
func (h *hookRunner) kill() {
	h.mu.Lock()
	cancel := h.cancel
	h.mu.Unlock()
	if cancel != nil {
		cancel()
	}
}

// stop kills the command if it runs, and waits for its end. The next monitor repeats it.
func (h *hookRunner) stop() {
	h.kill()
	h.going.Wait()
}

// ForgoOnEmpty gives the on-empty command of the runtime up, for a runtime that would stay
// because that fails or hangs: it is killed if it runs, and is not run again. The runtime is removed, or
// idle, without it when it is empty. ForgoOnEmpty returns when the record has that, as far as it can be
// written. It may be called from any goroutine, and where there is no such command.
//
// The error is [ErrUnwatched], or that of ctx.
func (w *Watching) ForgoOnEmpty(ctx context.Context) error {
	if err := w.hooking.forgo.ask(ctx, struct{}{}); err != nil {
		return w.runtime.wrap(fmt.Errorf("does not give up its on-empty command: %w", err))
	}
	return nil
}

// forgoHook carries out that the on-empty command is given up.
func (w *Watching) forgoHook() event {
	w.hooking.forgo.take()
	w.hooking.kill()
	if len(w.record.OnEmpty) > 0 {
		w.log.Warn("the on-empty command is given up", "runs", w.record.OnEmptyRuns)
	}
	w.record.OnEmpty, w.record.OnEmptyRuns = nil, 0
	return event{kind: forgone}
}

// runHook starts the on-empty command. The record counts the starts before, as far as it can
// be written.
func (w *Watching) runHook() {
	repeated := w.record.OnEmptyRuns > 0
	w.record.OnEmptyRuns++
	w.unsaid = w.write(statement{w.record.State, w.record.Reason})
	env := w.hookEnvironment(repeated)
	dir, log := w.dir(), w.log
	log.Info("running the on-empty command", "repeated", repeated)
	w.hooking.start(func(ctx context.Context) error {
		hook, err := readHook(dir)
		if err != nil {
			return fmt.Errorf("read %s: %w", hookFile, cause(err))
		}
		return hook.run(ctx, env, log)
	})
}

func (w *Watching) hookEnvironment(repeated bool) []string {
	by, again := "ended", "0"
	if w.record.Ending != nil {
		by = string(w.record.Ending.By)
	}
	if repeated {
		again = "1"
	}
	r := w.runtime
	return []string{
		EnvRuntime + "=" + r.name, EnvDirectory + "=" + r.Root(), EnvStore + "=" + r.store.dir,
		EnvEndedBy + "=" + by, EnvRepeated + "=" + again,
	}
}

// afterwards is how long the output of a command is read when the command has ended and what
// it left behind holds it.
const afterwards = time.Second

// run runs the command until it has ended. Its output goes to the log.
func (h *Hook) run(ctx context.Context, env []string, log *slog.Logger) error {
	if h.Limit > 0 {
		var done context.CancelFunc
		ctx, done = context.WithTimeoutCause(ctx, time.Duration(h.Limit), fmt.Errorf("it took longer than %v", time.Duration(h.Limit)))
		defer done()
	}
	cmd := exec.CommandContext(ctx, h.Command[0], h.Command[1:]...)
	cmd.Env = lastOfEach(append(mark.Set(h.Environment, nil), env...))
	cmd.Dir = h.Directory
	cmd.SysProcAttr = ownGroup()
	cmd.Cancel = func() error { return killGroup(cmd.Process) }
	cmd.WaitDelay = afterwards
	out := &hookOutput{log: log}
	cmd.Stdout, cmd.Stderr = out, out
	err := cmd.Run()
	out.end()
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, exec.ErrWaitDelay): // it has ended well
		return nil
	}
	return err
}

// A hookOutput writes the output of a command to a log, a line at a time.
type hookOutput struct {
	log  *slog.Logger
	line []byte
	size int
}

const (
	// longestLine is how much of a line the log gets.
	longestLine = 4 << 10
	// mostOutput is how much output of a command the log gets.
	mostOutput = 64 << 10
)

// Write implements [io.Writer].
func (o *hookOutput) Write(text []byte) (int, error) {
	for rest := text; len(rest) > 0; {
		line, after, whole := bytes.Cut(rest, []byte{'\n'})
		room := max(0, longestLine-len(o.line))
		o.line = append(o.line, line[:min(len(line), room)]...)
		if whole {
			o.end()
		}
		rest = after
	}
	return len(text), nil
}

// end writes the last line, which may lack its end.
func (o *hookOutput) end() {
	before := o.size
	o.size += len(o.line)
	switch {
	case len(o.line) > 0 && o.size <= mostOutput:
		o.log.Info("the on-empty command says", "text", string(o.line))
	case before <= mostOutput && o.size > mostOutput:
		o.log.Warn("the on-empty command says more than the log takes")
	}
	o.line = o.line[:0]
}
