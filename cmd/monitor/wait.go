package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
)

func newWait(g *global) *cobra.Command {
	var timeout string
	cmd := &cobra.Command{
		Use:   "wait NAME|PID... [--timeout TIME]",
		Short: "Wait until runtimes are gone, or processes with their descendants",
		Long: `wait returns when all that it was given has gone. An argument of digits is a PID, any
other one is the name of a runtime.

A runtime is gone when it is removed and its files are deleted; a durable one when it is
idle. A later runtime of the same name, or a later run, is another one, and is not waited for.

A process is gone when it has ended, a zombie too, and everything that descends from it,
now or later. No runtime is involved, so there is no lease: a process that was made an
orphan before wait began, or too fast for wait to see, is not waited for.

Exit codes: 0 all has gone, 1 there is no runtime of that name, it is broken, or it
failed, 2 the arguments are wrong, or wait would wait for itself, 3 it had gone before
wait began, 124 the time is over.

3 is no race: after "make & monitor wait $!" it means that make had ended by then. What it
had left cannot be found any more; "monitor run" keeps it in sight. A name gives 3 as long as
the history has it ("monitor list --all"). Of a PID, 3 can also mean that there never was such
a process. With several arguments the others are waited for first.`,
		Example: `  monitor wait build
  monitor wait build web --timeout 10m   # seconds, or a number with s, m, h or d; 0: no limit
  monitor wait 4711
  make & monitor wait $! || [ $? = 3 ]
  monitor wait --log-level debug 4711    # prints on standard error that it waits`,
		Args: arguments(1, math.MaxInt, "names of runtimes, or PIDs"),
		RunE: func(cmd *cobra.Command, args []string) error {
			limit, err := parseSpan(timeout)
			if err != nil {
				return usageError("--timeout: %w", err)
			}
			return g.wait(cmd.Context(), args, limit)
		},
	}
	cmd.Flags().StringVar(&timeout, "timeout", "0", "wait no longer than so many seconds, or a time such as 1.5m; 0 is no limit")
	return cmd
}

// exitGone and exitTimeout are exit codes of wait. run has the second too.
const (
	exitGone    = 3
	exitTimeout = 124 // as timeout(1) has it
)

// wait waits for all that the arguments name. Each is resolved before the first is waited
// for.
func (g *global) wait(ctx context.Context, args []string, limit time.Duration) error {
	log, err := g.logger(os.Stderr)
	if err != nil {
		return err
	}
	w := &waiter{global: g, log: log}
	defer w.close()
	ctx, stop := quittable(ctx)
	defer stop()
	if limit > 0 {
		var done context.CancelFunc
		ctx, done = context.WithTimeoutCause(ctx, limit, errTime)
		defer done()
	}
	for i, arg := range args {
		if slices.Contains(args[:i], arg) {
			continue
		}
		if err := w.resolve(ctx, arg); err != nil {
			return w.explain(ctx, err, subjectOf(arg), limit)
		}
	}
	for _, t := range w.targets {
		if err := t.await(ctx); err != nil {
			return w.explain(ctx, err, t.name, limit)
		}
	}
	return errors.Join(w.before...)
}

// errTime is the cause of the end of a wait whose time is over.
var errTime = errors.New("the time is over")

// explain returns an error as the command ends with it: with the reason where the context has
// ended.
func (w *waiter) explain(ctx context.Context, err error, name string, limit time.Duration) error {
	switch cause := context.Cause(ctx); {
	case ctx.Err() == nil || !errors.Is(err, ctx.Err()):
		return err
	case errors.Is(cause, errTime):
		return &exitError{exitTimeout, fmt.Errorf("%s has not gone within %v", name, limit)}
	default:
		return cause
	}
}

// quittable returns a context that ends by SIGQUIT, for which Go's runtime would print a
// trace. Its cause has main die by the signal. The other signals have their default action.
func quittable(ctx context.Context) (context.Context, func()) {
	if signal.Ignored(syscall.SIGQUIT) {
		return ctx, func() {}
	}
	ctx, end := context.WithCancelCause(ctx)
	quit := make(chan os.Signal, 1)
	signal.Notify(quit, syscall.SIGQUIT)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if _, came := <-quit; came {
			end(&monitor.ToldError{Signal: syscall.SIGQUIT})
		}
	}()
	return ctx, func() {
		signal.Stop(quit)
		close(quit)
		<-ended
		end(nil)
	}
}

// A target is what a command waits for.
type target struct {
	name  string // as a message has it
	await func(context.Context) error
}

// A waiter resolves the arguments of wait.
type waiter struct {
	*global
	log     *slog.Logger
	targets []target
	before  []error // about what had gone before
	processes
}

// resolve finds what an argument names. No runtime is made with a name of digits alone, or
// with a sign before it.
func (w *waiter) resolve(ctx context.Context, arg string) error {
	if namesProcess(arg) {
		return w.resolveProcess(ctx, arg)
	}
	return w.resolveRuntime(ctx, arg)
}

func namesProcess(arg string) bool {
	return strings.Trim(strings.TrimLeft(arg, "+-"), "0123456789") == ""
}

// subjectOf returns what an argument names, for a message.
func subjectOf(arg string) string {
	if namesProcess(arg) {
		return "process " + arg
	}
	return fmt.Sprintf("runtime %q", arg)
}

// hadGone notes that something had gone before the command began.
func (w *waiter) hadGone(err error) { w.before = append(w.before, &exitError{exitGone, err}) }

// parsePID reads a PID that can be waited for.
func parsePID(text string) (int, error) {
	pid, err := strconv.ParseInt(text, 10, 32) // the kernels' pid_t
	switch {
	case err != nil || text[0] == '-' || text[0] == '+':
		return 0, usageError("%q is no PID", text)
	case pid == 0:
		return 0, usageError("PID 0 is the kernel's, not a process's")
	case pid == 1:
		return 0, usageError("everything descends from PID 1; it ends with the system")
	}
	return int(pid), nil
}

// noProcess returns an error that names the PID where err is [process.ErrGone],
// else err.
func noProcess(pid int, err error) error {
	if errors.Is(err, process.ErrGone) {
		return fmt.Errorf("process %d does not exist", pid)
	}
	return err
}
