// Command monitor keeps a runtime alive exactly as long as any process of it
// lives, then cleans it up at once.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/gemini-monitor/gemini/internal/detach"
	"github.com/gemini-monitor/gemini/internal/origin"
	"github.com/gemini-monitor/gemini/monitor"
)

// Exit codes. Those from 125 on are of run and shell alone, whose other codes
// are the command's own.
const (
	exitNo            = 1   // no such runtime or process, or it failed
	exitUsage         = 2   // the arguments are wrong
	exitFailed        = 125 // run and shell: the command was not started
	exitNotExecutable = 126 // run and shell: the command is found and cannot be executed
	exitNotFound      = 127 // run and shell: the command is not found
)

// An exitError ends the program with a code of its own.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func usageError(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// The main goroutine stays on the first thread of the process: run and shell exec on it,
// and only that thread has the attributes that the caller gave to a thread.
func init() { runtime.LockOSThread() }

func main() {
	if err := newProgram(&global{settle: detach.Settle}).Execute(); err != nil {
		if told, ok := errors.AsType[*monitor.ToldError](err); ok {
			dieBy(told.Signal)
		}
		fmt.Fprintf(os.Stderr, "monitor: %s\n", oneLine(err))
		os.Exit(exitCode(err))
	}
}

func exitCode(err error) int {
	if e, ok := errors.AsType[*exitError](err); ok {
		return e.code
	}
	if errors.Is(err, monitor.ErrBadName) {
		return exitUsage
	}
	return exitNo
}

// global holds the flags that all commands have.
type global struct {
	store     string
	logLevel  string
	logFormat string
	alone     bool // runtimes get monitors of their own

	// settle prepares the process of a monitor.
	settle func() error
}

// newRoot returns the command for a process that is not its own: watch does not
// settle there.
func newRoot() *cobra.Command { return newProgram(&global{settle: func() error { return nil }}) }

func newProgram(g *global) *cobra.Command {
	root := &cobra.Command{
		Use:   "monitor",
		Short: "Keep a runtime alive exactly as long as any process of it lives",
		Long: `monitor keeps a runtime (a named record and a directory) alive exactly as long
as any process of it lives: the command it was made for, and everything that
descends from it, orphans and daemons included. Then it removes both at once.

Exit codes: 0 done, 1 no such runtime or process, or it failed, 2 the arguments
are wrong. run and shell exit as their command does, or with 125 when they could
not start it, 126 when it is not executable, 127 when it is not found.`,
		Example: `  monitor shell                        # a shell in a runtime of its own
  monitor info                         # inside: which runtime is this?
  monitor run --name build -- make -j8
  monitor list`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError("there is no command %q; see 'monitor help'", args[0])
			}
			return nil
		},
	}
	flags := root.PersistentFlags()
	flags.StringVar(&g.store, "store", "", "the directory of the runtimes (default $MONITOR_STORE, else the user's state directory)")
	flags.StringVar(&g.logLevel, "log-level", "info", "how much a monitor logs: debug, info, warn or error")
	flags.StringVar(&g.logFormat, "log-format", "text", "how it logs: text or json")
	flags.BoolVar(&g.alone, "no-resident", false, "have each runtime watched by a monitor of its own (default where $MONITOR_RESIDENT is \"no\")")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &exitError{exitUsage, err} })
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		becomes := cmd.Name() == "run" || cmd.Name() == "shell"
		err := makePoller()
		switch {
		case err != nil && becomes:
			return &exitError{exitFailed, err}
		case becomes:
			_, _ = origin.AtStart() // for Store.Run; it opens a file
		default:
			runtime.UnlockOSThread()
		}
		return err
	}
	root.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	for _, command := range []*cobra.Command{
		newRun(g), newShell(g), newInfo(g), newList(g), newTree(g), newWait(g), newServe(g), newPrune(g), newStop(g), newLogs(g),
	} {
		root.AddCommand(command)
	}
	return root
}

// version returns the version of the source and of Go that the program was built
// from, as the build information has it.
func version() string {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return fmt.Sprintf("%s, %s %s/%s", build.Main.Version, build.GoVersion, runtime.GOOS, runtime.GOARCH)
}

// moduleVersion returns the version of the source, "" where it is not known.
func moduleVersion() string {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	return build.Main.Version
}

// open opens the store that --store names, else $MONITOR_STORE, else the default.
func (g *global) open() (*monitor.Store, error) {
	dir := g.store
	if dir == "" {
		dir = os.Getenv(monitor.EnvStore)
	}
	if dir == "" {
		var err error
		if dir, err = monitor.DefaultDir(); err != nil {
			return nil, err
		}
	}
	return monitor.Open(dir)
}

// arguments returns a check of the number of arguments. Its error names what is
// expected.
func arguments(least, most int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return usageError("%s takes %s; see 'monitor help %s'", cmd.Name(), what, cmd.Name())
		}
		return nil
	}
}
