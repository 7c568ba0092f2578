// Layerfs shows each process tree its own union of directories, all at one mount.
//
//	layerfs serve /mnt/x &
//	layerfs run --mount /mnt/x --layer ./base -- ls /mnt/x
//
// A run is a runtime of package monitor: a process counts as long as it descends from the
// command, and what was written goes when the last one has ended. README.md tells the rest.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

// An exitError has an exit code of its own.
type exitError struct {
	code int
	error
}

func (e *exitError) Unwrap() error { return e.error }

func main() { os.Exit(execute(os.Args[1:])) }

// execute carries out a command line and returns the exit code.
func execute(args []string) int {
	root := &cobra.Command{
		Use: "layerfs", Short: "Show each process tree its own union of directories, all at one mount",
		SilenceErrors: true, SilenceUsage: true,
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(newServe(), newRun(), newJoin(), newStatus(), newUnmount())
	root.SetArgs(args)
	err := root.Execute()
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "layerfs:", err)
	if coded, ok := errors.AsType[*exitError](err); ok {
		return coded.code
	}
	return 1
}
