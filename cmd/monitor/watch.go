package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/gemini-monitor/gemini/monitor"
)

func newWatch(g *global) *cobra.Command {
	var detach, detached bool
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
			case detach:
				return g.detach(args[0])
			case detached:
				return g.watch(args[0], (*monitor.Runtime).WatchDetached)
			}
			return g.watch(args[0], nil)
		},
	}
	cmd.Flags().BoolVar(&detach, "detach", false, "start the monitor as a process of nobody")
	cmd.Flags().BoolVar(&detached, "detached", false, "be that process")
	for _, internal := range []string{"detach", "detached"} {
		_ = cmd.Flags().MarkHidden(internal)
	}
	return cmd
}

// watchCommand is the command line of a monitor.
func (g *global) watchCommand(self string, store *monitor.Store, name, how string) []string {
	return []string{self, "--store", store.Dir(), "--log-level", g.logLevel, "--log-format", g.logFormat, "watch", how, "--", name}
}

func (g *global) detach(name string) error {
	store, err := g.open()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return monitor.Detach(g.watchCommand(self, store, name, "--detached"))
}

// watch watches a runtime, through a function that says so to others, if any.
func (g *global) watch(name string, through func(*monitor.Runtime, context.Context, func(func()) error) error) error {
	log, err := g.logger()
	if err != nil {
		return err
	}
	store, err := g.open()
	if err != nil {
		return err
	}
	runtime, err := store.Runtime(name)
	if err != nil {
		return err
	}
	ctx, stop := stopSignals()
	defer stop()
	watch := func(ready func()) error { return runtime.Watch(ctx, log, ready) }
	if through != nil {
		err = through(runtime, ctx, watch)
	} else {
		err = watch(nil)
	}
	if errors.Is(err, context.Canceled) {
		log.Info("stopped watching; the runtime stays", "cause", context.Cause(ctx))
		return nil
	}
	return err
}

// stopSignals returns a context that ends with the first signal to stop. Those
// that the caller ignores, as nohup does, stay ignored.
func stopSignals() (context.Context, context.CancelFunc) {
	signals := []os.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP}
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
