package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/monitor/resident"
)

// patience is how long a monitor may take to begin watching. A machine on which hundreds of
// runtimes are started at once is slow.
const patience = 30 * time.Second

func newRun(g *global) *cobra.Command {
	var o runFlags
	cmd := &cobra.Command{
		Use:   "run [--name NAME] [--durable] [--wait] [--timeout TIME] [--leftovers keep|stop[=GRACE]] [--grace TIME] [--on-empty COMMAND] -- COMMAND [ARG...]",
		Short: "Run a command as a runtime of its own",
		Long: `run makes a runtime and becomes the command: same PID, same terminal, same
process group; signals and the exit status are the command's own. The runtime
lives until the command and everything that descends from it have ended.

Inside, MONITOR_RUNTIME is the name of the runtime, MONITOR_RUNTIME_DIR its own
directory, which goes with it, and MONITOR_STORE the store.

With --wait, run starts the command as its child and stays until the runtime is gone.
Then it exits as the command did, or dies of the same signal. Terminal, job control and
output are the command's. A signal that is sent to run is passed on to the command.

With --timeout the whole runtime is told to end when the time is over: SIGTERM, and
SIGKILL after the grace. run waits, unless --wait=false is given, and the exit code is 124.
With --leftovers stop, what the command leaves behind is told to end. The monitor keeps
both limits, also where run is stopped or killed. A time is a number of seconds, or 1.5m,
2h, 3d; 0 is no limit.

With --on-empty the monitor runs a command when the runtime is empty, before it removes the
runtime: at least once, and again until it ends with 0. It has the environment and directory
of run, and MONITOR_ENDED_BY and MONITOR_REPEATED.

With --durable the runtime stays when it is empty: it is idle then, with its directory, and
nothing watches it. run and shell with its --name run it again, in the same directory. rm
removes it.

A runtime of that name that is over is removed first. Told to end by a signal
before the command has begun, run undoes what it did and ends by that signal.

When the command was not started, the exit code is 127 if it was not found, 126
if it is not executable, else 125, and nothing is left behind.`,
		Example: `  monitor run -- make -j8
  monitor run --name web -- ./server --port 8080
  monitor run --timeout 10m --leftovers stop -- ./integration-tests
  monitor run --durable --name work -- ./server
  monitor run --on-empty 'umount "$MONITOR_RUNTIME_DIR/m"' -- ./server`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return failed(errors.New("run takes a command; see 'monitor help run'"))
			}
			o.hooked = cmd.Flags().Changed("on-empty")
			return g.run(o, o.waits(cmd.Flags().Changed("wait")), args)
		},
	}
	cmd.Flags().BoolVar(&o.wait, "wait", false, "stay until the runtime is gone, and exit as the command did (default where --timeout is given)")
	o.add(cmd)
	_ = cmd.RegisterFlagCompletionFunc("name", completeNamesIn(g, monitor.StateIdle))
	cmd.ValidArgsFunction = completeCommand
	return cmd
}

func newShell(g *global) *cobra.Command {
	var o runFlags
	var prompt bool
	cmd := &cobra.Command{
		Use:   "shell [--name NAME] [--durable] [--prompt] [--timeout TIME] [--leftovers keep|stop[=GRACE]] [--grace TIME] [--on-empty COMMAND] [-- ARG...]",
		Short: "Run your shell as a runtime of its own",
		Long: `shell does what run does, with the shell that $SHELL names, or /bin/sh. Leave the
shell and the runtime is gone, unless something that was started in it lives on.
What follows "--" are arguments of the shell.

--durable, --timeout, --leftovers and --grace are those of run. shell becomes the shell, so the exit
code is the shell's own, also where the time was over.

With --prompt the shell shows the name of the runtime: bash, fish and plain shells in
front of the prompt, zsh at the right. No file of yours is changed. A start-up file of
yours that sets the same may win; then put ${MONITOR_RUNTIME:+($MONITOR_RUNTIME) } into
the prompt that it sets.`,
		Example: `  monitor shell --prompt
  SHELL=/bin/zsh monitor shell --name scratch
  monitor shell -- --login
  monitor shell -- -c 'make && make test'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && cmd.ArgsLenAtDash() != 0 {
				return failed(errors.New("shell takes arguments of the shell behind \"--\" only; see 'monitor help shell'"))
			}
			o.hooked = cmd.Flags().Changed("on-empty")
			return g.shell(o, prompt, args)
		},
	}
	o.add(cmd)
	_ = cmd.RegisterFlagCompletionFunc("name", completeNamesIn(g, monitor.StateIdle))
	cmd.Flags().BoolVar(&prompt, "prompt", false, "show the name of the runtime in the prompt")
	cmd.ValidArgsFunction = completeShell
	return cmd
}

// run becomes the command, or waits for it. It returns only where that fails.
func (g *global) run(o runFlags, waits bool, args []string) error {
	if o.name != "" {
		if err := monitor.CheckName(o.name); err != nil {
			return failed(err)
		}
	}
	limits, err := o.limits()
	if err != nil {
		return failed(err)
	}
	hook, err := o.hook()
	if err != nil {
		return failed(err)
	}
	if _, err := g.logger(os.Stderr); err != nil {
		return failed(err)
	}
	path, err := findCommand(args[0])
	if err != nil {
		return failed(err)
	}
	store, err := g.open()
	if err != nil {
		return failed(err)
	}
	what := monitor.Creation{Name: o.name, Command: args, Limits: limits, OnEmpty: hook, Durable: o.durable}
	nameDurable(&what)
	if waits {
		return failed(g.stay(store, what))
	}
	return failed(g.become(store, what, path))
}

// become makes a runtime of this process and becomes the command.
func (g *global) become(store *monitor.Store, what monitor.Creation, path string) error {
	keeper, err := g.keeper(store)
	if err != nil {
		return err
	}
	stop := func() {}
	if client, ok := keeper.(*resident.Client); ok {
		stop = client.Hasten(context.Background())
	}
	err = store.Run(what, monitor.Program{
		Path: path, Args: what.Command, Patience: patience, Keeper: keeper, Spare: stop,
	})
	stop()
	if errors.Is(err, monitor.ErrExist) {
		return g.taken(store, what.Name, err)
	}
	return err
}

// failed gives an error the exit code of its kind: not found, not executable, or not
// started for another reason.
func failed(err error) error {
	exec, _ := errors.AsType[*os.PathError](err)
	switch {
	case errors.Is(err, errNotFound), exec != nil && exec.Op == "exec" && errors.Is(err, fs.ErrNotExist):
		return &exitError{exitNotFound, err}
	case errors.Is(err, errNotExecutable), exec != nil && exec.Op == "exec":
		return &exitError{exitNotExecutable, err}
	}
	return &exitError{exitFailed, err}
}
