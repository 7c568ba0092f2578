package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
)

func newLogs(g *global) *cobra.Command {
	var follow bool
	cmd := &cobra.Command{
		Use:   "logs NAME",
		Short: "Print what the monitor of a runtime has logged",
		Long: `logs prints the log of a runtime: what its monitor has found and done. Of a runtime that
was removed there is none any more, and the exit code is 1.

With --follow it goes on until the runtime is gone. What is about the resident monitor
itself is in resident.log, in the store.`,
		Example: `  monitor logs build
  monitor logs -f build`,
		Args: arguments(1, 1, "the name of a runtime"),
		RunE: func(cmd *cobra.Command, args []string) error {
			log, record, err := g.openLogs(args[0])
			if err != nil {
				return err
			}
			defer log.Close()
			if !follow || record.Owner == (process.Identity{}) { // a broken record has no owner
				return log.copyTo(cmd.OutOrStdout())
			}
			return g.follow(cmd.Context(), log, record, cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on until the runtime is gone")
	return cmd
}

// A runtimeLog is the log of a runtime, open: what is written until the runtime is gone can
// be read, wherever its directory is moved.
type runtimeLog struct{ *os.File }

// copyTo copies what the log has got since the last call.
func (l runtimeLog) copyTo(out io.Writer) error {
	_, err := io.Copy(out, l.File)
	return err
}

// openLogs opens the log of a runtime.
func (g *global) openLogs(name string) (l runtimeLog, r monitor.Record, err error) {
	store, err := g.open()
	if err != nil {
		return l, r, err
	}
	survey, err := store.Survey()
	if err != nil {
		return l, r, err
	}
	status, err := survey.Named(name)
	switch {
	case errors.Is(err, monitor.ErrNotExist):
		return l, r, withoutLog(store, name, err)
	case err != nil:
		return l, r, err
	case status.Log == "": // it may not be used, with the reason
		return l, r, errors.New(status.Reason)
	}
	l.File, err = monitor.OpenLog(status.Log)
	if errors.Is(err, os.ErrNotExist) {
		if _, gone := os.Lstat(filepath.Dir(status.Log)); errors.Is(gone, os.ErrNotExist) {
			err = withoutLog(store, name, fmt.Errorf("runtime %q %w", name, monitor.ErrNotExist))
		}
	}
	return l, status.Record, err
}

// withoutLog returns why a runtime has no log: the history has whether there was one.
func withoutLog(store *monitor.Store, name string, err error) error {
	if past, never := store.Ended(name, process.Identity{}); never == nil {
		return fmt.Errorf("%w, and its log went with it", endedBefore(past))
	}
	return err
}

// follow copies the log until the runtime is gone.
func (g *global) follow(ctx context.Context, l runtimeLog, r monitor.Record, out io.Writer) error {
	store, err := g.open()
	if err != nil {
		return err
	}
	log, err := g.logger(os.Stderr)
	if err != nil {
		return err
	}
	return store.Await(ctx, monitor.Wait{
		Name: r.Name, Owner: r.Owner, Log: log, Unwatched: g.unwatched(store, r.Name),
		Written: func() error { return l.copyTo(out) },
	})
}
