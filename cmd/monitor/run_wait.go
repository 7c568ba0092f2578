package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"

	"github.com/gemini-monitor/gemini/internal/standin"
	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// stay runs the command in a runtime of a child, which becomes it as "run --wait=false", and
// stays until the runtime is gone. Then it ends the process as the command ended. It returns
// only where that cannot be said.
func (g *global) stay(store *monitor.Store, what monitor.Creation) error {
	if what.Name == "" {
		what.Name = monitor.MadeUpName(what.Command) // the child's runtime is looked for by it
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	argv := g.childArguments(program, store, what)
	if runtime.GOOS == "linux" {
		program = "/proc/self/exe" // the image of this program, also where its file was replaced
	}
	begun := time.Now()
	w, err := standin.Start(program, argv)
	if err != nil {
		return fmt.Errorf("start a child: %w", err)
	}
	status, failed := w.Wait()
	how, err := g.stayUntilGone(store, what, w)
	if told, ok := errors.AsType[standin.Told](err); ok {
		return &monitor.ToldError{Signal: syscall.Signal(told)}
	}
	if err := errors.Join(failed, err); err != nil {
		return err
	}
	if struckAtStart(status, how, time.Duration(what.Limits.Timeout), time.Since(begun)) {
		how = monitor.CauseTimeout
	}
	leaveAs(endOf(status, how))
	return nil
}

// childArguments returns the command line by which the child becomes the command.
func (g *global) childArguments(program string, store *monitor.Store, what monitor.Creation) []string {
	argv := []string{program, "--store", store.Dir(), "--log-level", g.logLevel, "--log-format", g.logFormat}
	if g.alone {
		argv = append(argv, "--no-resident")
	}
	argv = append(argv, "run", "--wait=false", "--name", what.Name)
	argv = append(argv, limitArguments(what.Limits)...)
	if what.Durable {
		argv = append(argv, "--durable")
	}
	if hook := what.OnEmpty; hook != nil {
		argv = append(argv, "--on-empty="+hook.Command[2], "--on-empty-limit="+time.Duration(hook.Limit).String())
	}
	return append(append(argv, "--"), what.Command...)
}

// struckAtStart reports whether the time was over before the command had begun: the child was
// told to end then, and has removed its runtime without a line in the history.
func struckAtStart(status syscall.WaitStatus, how monitor.Cause, limit, took time.Duration) bool {
	return how == "" && status.Signaled() && limit > 0 && took >= limit
}

// An end is how a process ends.
type end struct {
	code   int
	signal syscall.Signal // 0 for an exit
}

// endOf returns how run ends, after its command and its runtime: as the command, but for the
// time-out, also where the command had ended before.
func endOf(status syscall.WaitStatus, how monitor.Cause) end {
	switch {
	case how == monitor.CauseTimeout:
		return end{code: exitTimeout}
	case status.Signaled():
		return end{code: 128 + int(status.Signal()), signal: status.Signal()}
	}
	return end{code: status.ExitStatus()}
}

// leaveAs ends this process.
func leaveAs(e end) {
	if e.signal != 0 {
		standin.NoCore()
		dieBy(e.signal)
	}
	os.Exit(e.code)
}

// quiet is how long run waits for the runtime before it says so.
const quiet = time.Second

// stayUntilGone returns when the runtime of the child is gone, and how it ended, if it has a
// time-out: else that is not asked for. The error is a [standin.Told] where a signal told this
// process not to wait.
func (g *global) stayUntilGone(store *monitor.Store, what monitor.Creation, w *standin.StandIn) (how monitor.Cause, err error) {
	ctx, done := w.Rest()
	defer done()
	defer after(ctx, quiet, func() { standin.Say(g.whatKeeps(store, what.Name, w.Child())) })()
	timed := what.Limits.Timeout > 0
	if timed {
		how = endingOf(store, what.Name, w.Child())
	}
	unwatched := func(ctx context.Context) { g.adopt(ctx, store) }
	err = store.Await(ctx, monitor.Wait{Name: what.Name, Owner: w.Child(), Unwatched: unwatched})
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case err != nil || !timed:
		return how, err
	}
	past, err := store.Ended(what.Name, w.Child())
	switch {
	case err == nil:
		return past.How, nil
	case errors.Is(err, monitor.ErrNotExist) || how != "":
		return how, nil // as the record had it, or the command did not begin
	}
	return how, err
}

// endingOf returns why the members of the runtime of an owner are told to end by now, empty
// if they are not. The history can lack the runtime, where it cannot be written.
func endingOf(store *monitor.Store, name string, owner process.Identity) monitor.Cause {
	r, err := store.Runtime(name)
	if err != nil {
		return ""
	}
	record, err := r.Record()
	if err != nil || record.Owner != owner || record.Ending == nil {
		return ""
	}
	return record.Ending.By
}

// after calls a function later, once, unless ctx ends or the returned function is called
// before. That waits for a call which has begun.
func after(ctx context.Context, later time.Duration, do func()) (stop func()) {
	ctx, cancel := context.WithTimeout(ctx, later)
	over := make(chan struct{})
	go func() {
		defer close(over)
		<-ctx.Done()
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			do()
		}
	}()
	return func() {
		cancel()
		<-over
	}
}

// whatKeeps returns a line about what keeps the runtime of an owner that has ended.
func (g *global) whatKeeps(store *monitor.Store, name string, owner process.Identity) string {
	line := fmt.Sprintf("monitor: waiting for runtime %q", name)
	survey, err := store.Survey()
	if err != nil {
		return line
	}
	status, err := survey.Named(name)
	switch {
	case err != nil || status.Owner != owner:
		return line + " to go"
	case status.State == monitor.StateRunning || status.Reason == "":
		return line + fmt.Sprintf(", which has %s; \"monitor tree %s\" shows what the command left", memberCount(status), name)
	}
	return line + fmt.Sprintf(", which is %s: %s", status.State, plain(status.Reason))
}

func memberCount(s monitor.Status) string {
	if len(s.Members) == 1 {
		return "1 member"
	}
	return fmt.Sprintf("%d members", len(s.Members))
}
