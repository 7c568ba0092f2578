package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/gemini-monitor/gemini/internal/detach"
	"github.com/gemini-monitor/gemini/internal/latelog"
	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/monitor/resident"
	"github.com/gemini-monitor/gemini/tracker"
	"github.com/gemini-monitor/gemini/tracker/process"
)

func newServe(g *global) *cobra.Command {
	var how role
	var owner, metrics string
	idle := resident.Forever
	cmd := &cobra.Command{
		Use:   "serve [NAME]",
		Short: "Be the monitor of the store, or of one runtime, in the foreground",
		Long: `serve watches all runtimes of the store, and removes each when its last process has
gone. run and shell start such a resident monitor by themselves, detached, and with a
guard that starts it anew when it dies. Start it by hand under launchd or systemd.

With NAME it is the monitor of that runtime alone; of an idle one there is nothing to watch. It goes on from the journal where an
earlier monitor ended.

With --metrics it starts the program monitor-metrics, which serves /metrics to Prometheus
and ends with it. The program is taken from the directory of monitor, else from PATH.

On SIGTERM, SIGINT, SIGQUIT or SIGHUP it stops watching and leaves everything as
it is.`,
		Example: `  monitor serve
  monitor serve --idle 1m              # ends when it had nothing to watch for a minute
  monitor serve --metrics 9753         # http://127.0.0.1:9753/metrics
  monitor serve build
  (trap '' HUP; monitor serve build 2>>log &)   # goes on when the terminal is closed`,
		Args: arguments(0, 1, "the name of a runtime, or nothing"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if idle < 0 && idle != resident.Forever {
				return usageError("--idle takes a time such as 10s, not %v", idle)
			}
			s := &service{global: g, idle: idle}
			if cmd.Flags().Changed("metrics") {
				if err := s.takeMetrics(metrics, how, args); err != nil {
					return err
				}
			}
			switch {
			case how.launch:
				return s.launch(args, owner)
			case how.guard:
				return s.guard()
			case len(args) == 0:
				return s.serve(how)
			case how.detached:
				return g.watchDetached(args[0], owner)
			}
			return g.watch(args[0], process.Identity{}, nil)
		},
	}
	flags := cmd.Flags()
	flags.DurationVar(&idle, "idle", resident.Forever, "end when there was nothing to watch for so long (without NAME)")
	flags.Lookup("idle").DefValue = "never"
	flags.StringVar(&metrics, "metrics", "", "serve metrics to Prometheus at this address: PORT on this machine alone, else HOST:PORT (without NAME)")
	how.flags(cmd)
	flags.StringVar(&owner, "owner", "", "the owner that waits, as PID-START")
	_ = flags.MarkHidden("owner")
	return cmd
}

// A role is what a process of a detached monitor is.
type role struct{ launch, detached, guard, guarded bool }

// flags adds the flags by which one process of a detached monitor starts another.
func (r *role) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&r.launch, "detach", false, "start the monitor outside of the caller's process tree")
	flags.BoolVar(&r.detached, "detached", false, "be that monitor")
	flags.BoolVar(&r.guard, "guard", false, "be the guard of a resident monitor")
	flags.BoolVar(&r.guarded, "guarded", false, "be a resident monitor that a guard has started")
	for _, internal := range []string{"detach", "detached", "guard", "guarded"} {
		_ = flags.MarkHidden(internal)
	}
}

// ownerWord returns what stands for an owner of this boot in a command line.
func ownerWord(owner process.Identity) string { return fmt.Sprintf("%d-%d", owner.PID, owner.Start) }

// readOwner reads what ownerWord has written.
func readOwner(word string) (owner process.Identity, err error) {
	if _, err := fmt.Sscanf(word, "%d-%d", &owner.PID, &owner.Start); err != nil {
		return owner, usageError("--owner takes PID-START, not %q", word)
	}
	owner.Boot, err = process.Boot()
	return owner, err
}

// watchDetached is the work of the second process of a monitor for one runtime. The owner
// of the runtime waits for its report.
func (g *global) watchDetached(name, word string) error {
	waiting, err := detach.Arrive()
	if err != nil {
		return err
	}
	waiting.Passed.Close()
	owner, err := readOwner(word)
	if err != nil {
		waiting.Refuse(err)
		return err
	}
	return g.watch(name, owner, waiting)
}

// watch watches a runtime until the runtime has ended, or a signal comes. Where its owner
// is waiting, watch reports that the runtime is watched, or why it is not.
func (g *global) watch(name string, owner process.Identity, waiting *detach.Arrival) error {
	if err := g.settle(); err != nil {
		if waiting != nil {
			waiting.Refuse(err)
		}
		return err
	}
	log, err := g.logger(os.Stderr)
	if err != nil {
		return err
	}
	ctx, stop := stopSignals()
	defer stop()
	err = g.attachAndRun(ctx, name, monitor.Options{Log: log, Owner: owner, Waits: owner != process.Identity{}}, waiting)
	if errors.Is(err, context.Canceled) {
		log.Info("stopped watching; the runtime stays", "cause", context.Cause(ctx))
		return nil
	}
	return err
}

func (g *global) attachAndRun(ctx context.Context, name string, o monitor.Options, waiting *detach.Arrival) error {
	t, w, err := g.attach(ctx, name, o)
	if err != nil {
		if waiting != nil {
			waiting.Refuse(err)
		}
		return err
	}
	defer t.Close()
	own, err := resident.ServeOwn(w.Runtime(), w, moduleVersion(), o.Log)
	if err != nil { // the runtime is watched all the same, and cannot be stopped by name
		o.Log.Warn("no command reaches this monitor", "error", err)
	} else {
		defer own.Close()
	}
	// It may take long, so it is waited for at the end: what a start has put into the
	// trash goes with the monitor of that start.
	var sweeping sync.WaitGroup
	sweeping.Go(w.Store().Sweep)
	err = nil
	if waiting != nil {
		err = waiting.Ready() // after an error too, the runtime is watched: the owner has ended
	}
	err = errors.Join(w.Run(ctx), err)
	if ctx.Err() == nil {
		sweeping.Wait()
	}
	return err
}

// attach makes this process the monitor of a runtime, with a tracker of its own.
func (g *global) attach(ctx context.Context, name string, o monitor.Options) (*tracker.Tracker, *monitor.Watching, error) {
	store, err := g.open()
	if err != nil {
		return nil, nil, err
	}
	runtime, err := store.Runtime(name)
	if err != nil {
		return nil, nil, err
	}
	t, err := tracker.New(tracker.Options{})
	if err != nil {
		return nil, nil, err
	}
	w, err := runtime.Attach(ctx, t, o)
	if err != nil {
		t.Close()
		return nil, nil, err
	}
	return t, w, nil
}

// stopSignals returns a context that ends with the first signal to stop. Those
// that the caller ignores, as nohup does, stay ignored.
func stopSignals() (context.Context, context.CancelFunc) {
	signals := append([]os.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP}, limitSignals...)
	return signal.NotifyContext(context.Background(), slices.DeleteFunc(signals, signal.Ignored)...)
}

// logger returns a log. A line that cannot be written, to a full disk for instance, is
// written with a later one.
func (g *global) logger(out io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(g.logLevel)); err != nil {
		return nil, usageError("--log-level takes debug, info, warn or error, not %q", g.logLevel)
	}
	options := &slog.HandlerOptions{Level: level}
	switch g.logFormat {
	case "text":
		return slog.New(latelog.Keep(slog.NewTextHandler(out, options))), nil
	case "json":
		return slog.New(latelog.Keep(slog.NewJSONHandler(out, options))), nil
	}
	return nil, usageError("--log-format takes text or json, not %q", g.logFormat)
}
