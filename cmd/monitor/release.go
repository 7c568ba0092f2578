package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/monitor/resident"
	"github.com/gemini-monitor/gemini/tracker/process"
)

func newRelease(g *global) *cobra.Command {
	return &cobra.Command{
		Use:   "release NAME PID",
		Short: "Let a process live on that no longer keeps its runtime",
		Long: `release has a process of the runtime count no more, with all that descends from it now
and later: an agent or a build daemon, which stays when the work is done. It gets no signal
and runs on as it is, and the runtime ends when all others have. 'monitor stop' leaves it
alone.

The runtime ends at once where the process is the last one, or the command itself, from
which all others descend. With the runtime goes its directory. MONITOR_RUNTIME and
MONITOR_RUNTIME_DIR stay in the environment of the process.

Exit code 1: there is no such runtime, or the process is no member of it. It is no error
to release a process twice.`,
		Example: `  monitor release build "$SSH_AGENT_PID"
  monitor release build 4711`,
		Args: arguments(2, 2, "the name of a runtime and a PID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := monitor.CheckName(args[0]); err != nil {
				return err
			}
			pid, err := parsePID(args[1])
			if err != nil {
				return err
			}
			store, err := g.open()
			if err != nil {
				return err
			}
			return g.release(cmd.Context(), store, args[0], pid)
		},
	}
}

// release releases a process of a runtime. Where that has no monitor, it gets one first.
func (g *global) release(ctx context.Context, store *monitor.Store, name string, pid int) error {
	r, err := store.Runtime(name)
	if err != nil {
		return err
	}
	if _, err := r.Record(); err != nil {
		return err
	}
	p, err := process.Lookup(pid)
	if err == nil && p.State == process.Zombie {
		err = process.ErrGone
	}
	if err != nil {
		return noProcess(pid, err)
	}
	err = resident.Release(ctx, store, r, p.Identity)
	for tries := 0; errors.Is(err, resident.ErrUnwatched) && tries < 3 && g.adopt(ctx, store); tries++ {
		err = resident.Release(ctx, store, r, p.Identity)
	}
	if errors.Is(err, resident.ErrUnwatched) {
		return fmt.Errorf("%w; \"monitor serve %s\" goes on with it", err, name)
	}
	return err
}
