package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/gemini-monitor/gemini/tracker"
	"github.com/gemini-monitor/gemini/tracker/process"
)

func newWait(g *global) *cobra.Command {
	return &cobra.Command{
		Use:   "wait PID",
		Short: "Wait until a process and all its descendants have gone",
		Long: `wait returns when the process and everything that descends from it, now or later,
have gone. No runtime is involved, so there is no lease: a process that was made
an orphan before wait began, or too fast for wait to see, is not waited for. The exit
code is 0 when no process that wait knows is left.`,
		Example: `  monitor wait 4711
  make & monitor wait $!
  monitor wait --log-level debug 4711    # says on standard error when it sees the process`,
		Args: arguments(1, 1, "a PID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			pid, err := parsePID(args[0])
			if err != nil {
				return err
			}
			log, err := g.logger(os.Stderr)
			if err != nil {
				return err
			}
			t, err := tracker.New(tracker.Options{})
			if err != nil {
				return err
			}
			defer t.Close()
			tree, err := t.Track(cmd.Context(), pid)
			if err != nil {
				return noProcess(pid, err)
			}
			log.Debug("waiting", "process", pid)
			err = tree.Wait(cmd.Context())
			if errors.Is(err, tracker.ErrMayHaveMissed) { // as the help says
				log.Debug("all known processes have gone", "process", pid, "limit", err)
				return nil
			}
			return err
		},
	}
}

// parsePID reads a PID that can be waited for.
func parsePID(text string) (int, error) {
	pid, err := strconv.Atoi(text)
	switch {
	case err != nil || pid < 0:
		return 0, usageError("%q is no PID", text)
	case pid == 0:
		return 0, usageError("PID 0 is the kernel's, not a process's")
	case pid == 1:
		return 0, usageError("everything descends from PID 1; it ends with the system")
	}
	return pid, nil
}

// noProcess returns an error that names the PID where err is [process.ErrGone],
// else err.
func noProcess(pid int, err error) error {
	if errors.Is(err, process.ErrGone) {
		return fmt.Errorf("process %d does not exist", pid)
	}
	return err
}
