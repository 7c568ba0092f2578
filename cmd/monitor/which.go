package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/monitor/resident"
	"github.com/gemini-monitor/gemini/tracker/process"
)

func newWhich(g *global) *cobra.Command {
	return &cobra.Command{
		Use:   "which PID",
		Short: "Print the name of the runtime that a process belongs to",
		Long: `which prints the name of the runtime that the process with this PID belongs to now.
Of several around each other it is the innermost one. The resident monitor answers, from
memory. A runtime that has another monitor, or none, is found by its files. Exit code 1:
the process is in no runtime, or there is no such process.`,
		Example: `  monitor which 4711
  monitor which $$`,
		Args: arguments(1, 1, "a PID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			pid, err := strconv.Atoi(args[0])
			if err != nil || pid < 1 || pid > math.MaxInt32 {
				return usageError("%q is no PID", args[0])
			}
			name, err := g.which(cmd.Context(), pid)
			if err == nil {
				_, err = fmt.Fprintln(cmd.OutOrStdout(), name)
			}
			return err
		},
	}
}

// answering is how long a command waits for an answer that only completes what it prints.
const answering = 2 * time.Second

// which returns the name of the runtime that a process is in.
func (g *global) which(ctx context.Context, pid int) (string, error) {
	store, err := g.open()
	if err != nil {
		return "", err
	}
	row, err := process.Lookup(pid)
	if err == nil && row.State == process.Zombie {
		err = process.ErrGone
	}
	if err != nil {
		return "", noProcess(pid, err)
	}
	limited, done := context.WithTimeout(ctx, answering)
	defer done()
	name, unasked := resident.Which(limited, store, pid)
	if unasked == nil && watchesAll(store) {
		return nameOrNone(name, pid)
	}
	survey, err := store.Survey()
	if err != nil {
		return "", err
	}
	status, err := survey.Of(pid)
	switch {
	case err == nil:
		return status.Name, nil
	case errors.Is(err, monitor.ErrNone) || name != "":
		return nameOrNone(name, pid)
	}
	return "", noProcess(pid, err)
}

func nameOrNone(name string, pid int) (string, error) {
	if name == "" {
		return "", fmt.Errorf("process %d is in no runtime", pid)
	}
	return name, nil
}

// watchesAll reports whether the resident monitor of a store is the monitor of each of its
// runtimes, by their records. One that cannot be read has no known member.
func watchesAll(store *monitor.Store) bool {
	card, err := resident.ReadCard(store)
	if err != nil {
		return false
	}
	names, err := store.Names()
	for _, name := range names {
		runtime, unread := store.Runtime(name)
		if unread != nil {
			continue
		}
		if record, unread := runtime.Record(); unread == nil && (record.Monitor == nil || *record.Monitor != card.Process) {
			return false
		}
	}
	return err == nil
}
