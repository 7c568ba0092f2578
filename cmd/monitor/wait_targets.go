package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// processes are the processes that a command waits for, in one tracker.
type processes struct {
	tracker *tracker.Tracker // nil until there is one
}

// resolveProcess follows a process, from now on.
func (w *waiter) resolveProcess(ctx context.Context, arg string) error {
	pid, err := parsePID(arg)
	if err != nil {
		return err
	}
	if err := notAround(pid); err != nil {
		return err
	}
	if w.tracker == nil {
		if w.tracker, err = tracker.New(tracker.Options{}); err != nil {
			return err
		}
	}
	tree, err := w.tracker.Track(ctx, pid)
	if errors.Is(err, process.ErrGone) {
		w.hadGone(noProcess(pid, err))
		return nil
	}
	if err != nil {
		return err
	}
	w.log.Debug("waiting", "process", pid)
	w.targets = append(w.targets, target{subjectOf(arg), func(ctx context.Context) error {
		err := tree.Wait(ctx)
		if errors.Is(err, tracker.ErrMayHaveMissed) { // as the help has it
			w.log.Debug("all known processes have gone", "process", pid, "limit", err)
			return nil
		}
		return err
	}})
	return nil
}

// notAround refuses the calling process and its ancestors: they end after it.
func notAround(pid int) error {
	if pid == os.Getpid() {
		return usageError("process %d is this command: it would wait for itself", pid)
	}
	ancestors, _ := process.Ancestors(os.Getpid())
	if slices.ContainsFunc(ancestors, func(p process.Process) bool { return p.PID == pid }) {
		return usageError("process %d is an ancestor of this command: it would wait for itself", pid)
	}
	return nil
}

func (p *processes) close() {
	if p.tracker != nil {
		p.tracker.Close()
	}
}

// resolveRuntime finds the runtime of a name.
func (w *waiter) resolveRuntime(ctx context.Context, name string) error {
	store, err := w.open()
	if err != nil {
		return err
	}
	record, err := store.Find(name)
	if errors.Is(err, monitor.ErrNotExist) {
		past, err := store.Ended(name, process.Identity{})
		if err == nil {
			w.hadGone(endedBefore(past))
		}
		return err
	}
	if err != nil {
		return err
	}
	if record.State == monitor.StateIdle {
		w.hadGone(idleBefore(record))
		return nil
	}
	if err := w.notInside(store, name); err != nil {
		return err
	}
	w.targets = append(w.targets, target{subjectOf(name), func(ctx context.Context) error {
		w.log.Debug("waiting", "runtime", name, "owner", record.Owner)
		return store.Await(ctx, monitor.Wait{Name: record.Name, Owner: record.Owner, Log: w.log, Unwatched: w.unwatched(store, name)})
	}})
	return w.adoptFirst(ctx, store, name)
}

// adoptFirst has the runtime taken over, if it has no monitor. It returns an error where it
// is broken: then it does not go by itself.
func (g *global) adoptFirst(ctx context.Context, store *monitor.Store, name string) error {
	survey, err := store.Survey()
	if err != nil {
		return err
	}
	status, err := survey.Named(name)
	switch {
	case errors.Is(err, monitor.ErrNotExist):
		return nil // it has gone meanwhile
	case err != nil:
		return err
	case status.State == monitor.StateBroken:
		return fmt.Errorf("runtime %q is broken: %s", name, status.Reason)
	case status.State == monitor.StateUnmonitored:
		g.adopt(ctx, store)
	}
	return nil
}

// unwatched returns what is done where a runtime has no monitor any more. A line is printed
// once where that does not help.
func (g *global) unwatched(store *monitor.Store, name string) func(context.Context) {
	printed := false
	return func(ctx context.Context) {
		g.adopt(ctx, store)
		if printed || ctx.Err() != nil || !g.stays(store, name) {
			return
		}
		printed = true
		fmt.Fprintf(os.Stderr, "monitor: no monitor has runtime %q; \"monitor serve %s\" goes on with it\n", name, name)
	}
}

// stays reports whether a runtime is there without a monitor.
func (g *global) stays(store *monitor.Store, name string) bool {
	survey, err := store.Survey()
	if err != nil {
		return false
	}
	status, err := survey.Named(name)
	return err == nil && status.State == monitor.StateUnmonitored
}

// notInside refuses a runtime that the calling process is in: it ends after it.
func (w *waiter) notInside(store *monitor.Store, name string) error {
	survey, err := store.Survey()
	if err != nil {
		return err
	}
	inside, err := survey.Encloses(name)
	if errors.Is(err, monitor.ErrNotExist) {
		return nil
	}
	if inside {
		return usageError("this command is in runtime %q: it would wait for itself", name)
	}
	return err
}

// endedBefore is the error about a runtime that had gone before a command began.
func endedBefore(p monitor.Past) error {
	return fmt.Errorf("runtime %q was removed at %s%s", p.Name, p.Ended.Local().Format(time.RFC3339), howWords(p.How))
}
