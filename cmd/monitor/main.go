// Command monitor keeps a runtime alive exactly as long as any process of it
// lives, then cleans it up at once.
package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/gemini-monitor/gemini/internal/detach"
	"github.com/gemini-monitor/gemini/internal/origin"
	"github.com/gemini-monitor/gemini/monitor"
)

// Exit codes. Those from 125 on are of run, shell and join alone, whose other codes
// are the command's own.
const (
	exitNo            = 1   // no such runtime or process, or it failed
	exitUsage         = 2   // the arguments are wrong
	exitFailed        = 125 // run, shell and join: the command was not started
	exitNotExecutable = 126 // run, shell and join: the command is found and cannot be executed
	exitNotFound      = 127 // run, shell and join: the command is not found
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

// The main goroutine stays on the first thread of the process: run, shell and join exec on it,
// and only that thread has the attributes that the caller gave to a thread.
func init() { runtime.LockOSThread() }

func main() {
	if err := execute(newProgram(&global{settle: detach.Settle}), os.Stdout); err != nil {
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
	makes     bool // the command makes the store where it is not there

	// patience is how long doctor waits for an answer, 0 for its own time.
	patience time.Duration
	// settle prepares the process of a monitor.
	settle func() error
}

// newRoot returns the command for a process that is not its own: watch does not
// settle there, and doctor is patient.
func newRoot() *cobra.Command {
	return newProgram(&global{settle: func() error { return nil }, patience: time.Minute})
}

func newProgram(g *global) *cobra.Command {
	root := &cobra.Command{
		Use:   "monitor",
		Short: "Keep a runtime alive exactly as long as any process of it lives",
		Long: `monitor keeps a runtime (a named record and a directory) alive exactly as long
as any process of it lives: the command it was made for, and everything that
descends from it, orphans and daemons included. Then it removes both at once.

` + exitCodesText(),
		Example: `  monitor shell                        # a shell in a runtime of its own
  monitor info                         # inside: which runtime is this?
  monitor run --name build -- make -j8
  monitor list`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(root *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(root, args[0])
			}
			return nil
		},
	}
	flags := root.PersistentFlags()
	flags.StringVar(&g.store, "store", "", "the directory of the runtimes (default $MONITOR_STORE, else the user's state directory)")
	flags.StringVar(&g.logLevel, "log-level", "info", "how much a monitor logs: debug, info, warn or error")
	flags.StringVar(&g.logFormat, "log-format", "text", "how it logs: text or json")
	flags.BoolVar(&g.alone, "no-resident", false, "have each runtime watched by a monitor of its own (default where $MONITOR_RESIDENT is \"no\")")
	completeFlags(root)
	root.SetHelpFunc(printHelp)
	root.SetFlagErrorFunc(flagError)
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		becomes := becomes(cmd)
		g.makes = becomes && cmd.Name() != "join" || cmd.Name() == "serve"
		err := g.checkFlags(cmd)
		if err == nil {
			err = makePoller()
		}
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
	root.SetErr(io.Discard) // cobra says there that it cannot print help; execute does too
	for _, command := range []*cobra.Command{
		newRun(g), newShell(g), newInfo(g), newList(g), newTree(g), newWhy(g), newWhich(g), newLogs(g), newEvents(g), newTop(g),
		newStop(g), newRm(g), newJoin(g), newRelease(g), newWait(g), newServe(g), newPrune(g), newDoctor(g),
		newCompletion(), newVersion(), newMan(),
	} {
		root.AddCommand(command)
	}
	root.SetHelpCommand(newHelp())
	completeArguments(root, g)
	return root
}

// open opens the store that --store names, else $MONITOR_STORE, else the default. One that
// is not there is empty. Where --store names it, that is an error for the commands that do
// not make it: the name is a wrong one.
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
	store, err := monitor.Open(dir)
	if err == nil && g.store != "" && !g.makes {
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("store %s does not exist; 'monitor run' and 'monitor serve' make one", dir)
		}
	}
	return store, err
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
