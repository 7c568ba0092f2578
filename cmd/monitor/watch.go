package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/gemini-monitor/gemini/internal/detach"
	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker"
	"github.com/gemini-monitor/gemini/tracker/process"
)

func newWatch(g *global) *cobra.Command {
	var first, second bool // of the processes that package detach describes
	var owner string
	cmd := &cobra.Command{
		Use:   "watch NAME",
		Short: "Be the monitor of a runtime, in the foreground",
		Long: `watch follows the processes of a runtime and removes it when the last one has
gone. run and shell start it by themselves; start it by hand where a monitor was
killed, for a runtime that list calls unmonitored: it goes on from the journal.

On SIGTERM, SIGINT, SIGQUIT or SIGHUP it stops watching and leaves everything as
it is.`,
		Example: `  monitor watch build
  monitor watch --log-level debug build
  (trap '' HUP; monitor watch build 2>>log &)   # goes on when the terminal is closed`,
		Args: arguments(1, 1, "the name of a runtime"),
		RunE: func(_ *cobra.Command, args []string) error {
			switch {
			case first:
				return g.launch(args[0], owner)
			case second:
				return g.watchDetached(args[0], owner)
			}
			return g.watch(args[0], process.Identity{}, nil)
		},
	}
	cmd.Flags().BoolVar(&first, "detach", false, "start the monitor outside of the caller's process tree")
	cmd.Flags().BoolVar(&second, "detached", false, "be that monitor")
	cmd.Flags().StringVar(&owner, "owner", "", "the owner that waits, as PID-START")
	for _, internal := range []string{"detach", "detached", "owner"} {
		_ = cmd.Flags().MarkHidden(internal)
	}
	return cmd
}

// watchCommand returns the command line of a monitor.
func (g *global) watchCommand(self string, store *monitor.Store, name, how, owner string) []string {
	return []string{self, "--store", store.Dir(), "--log-level", g.logLevel, "--log-format", g.logFormat, "watch", how, "--owner", owner, "--", name}
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

// launch is the work of the first process of a detached monitor.
func (g *global) launch(name, owner string) error {
	store, err := g.open()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return detach.Launch(g.watchCommand(self, store, name, "--detached", owner))
}

// watchDetached is the work of the second process, the monitor. The owner of the
// runtime waits for its report.
func (g *global) watchDetached(name, word string) error {
	waiting, err := detach.Arrive()
	if err != nil {
		return err
	}
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
	log, err := g.logger()
	if err != nil {
		return err
	}
	ctx, stop := stopSignals()
	defer stop()
	err = g.attachAndRun(ctx, name, monitor.Options{Log: log, Owner: owner}, waiting)
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
	// It may take long, so it is waited for at the end: what a start has put into the
	// trash goes with the monitor of that start.
	var sweeping sync.WaitGroup
	sweeping.Go(w.Store().Sweep)
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

// logger returns the log, on standard error.
func (g *global) logger() (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(g.logLevel)); err != nil {
		return nil, usageError("--log-level takes debug, info, warn or error, not %q", g.logLevel)
	}
	options := &slog.HandlerOptions{Level: level}
	switch g.logFormat {
	case "text":
		return slog.New(slog.NewTextHandler(os.Stderr, options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(os.Stderr, options)), nil
	}
	return nil, usageError("--log-format takes text or json, not %q", g.logFormat)
}
