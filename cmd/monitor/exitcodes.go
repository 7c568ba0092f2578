package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// An exitMeaning is a row of the table of exit codes.
type exitMeaning struct {
	code    int
	meaning string
}

// exitCodes are all exit codes of the program itself, for the help and the manual pages. The
// README has the same table.
var exitCodes = []exitMeaning{
	{0, "done"},
	{exitNo, "no such runtime or process, no active runtime, or the operation failed"},
	{exitUsage, "wrong usage: a bad flag, name, PID or number of arguments"},
	{exitGone, "wait, events: what it waits for had gone before"},
	{exitTimeout, "run, wait: the time was over"},
	{exitFailed, "run, shell, join: the command was not started, for any reason but the next two"},
	{exitNotExecutable, "run, shell, join: the command is not executable"},
	{exitNotFound, "run, shell, join: the command was not found"},
}

// exitCodesText returns the table as a part of a help text.
func exitCodesText() string {
	var text strings.Builder
	text.WriteString("Exit codes:")
	for _, row := range exitCodes {
		fmt.Fprintf(&text, "\n  %-4d %s", row.code, row.meaning)
	}
	text.WriteString("\nAny other code of run, shell and join is the command's own.")
	return text.String()
}

// becomes reports whether a command becomes another program. All exit codes below 125 are
// that program's then, so wrong usage is 125, as it is for env(1), nohup(1) and timeout(1).
func becomes(cmd *cobra.Command) bool {
	return slices.Contains([]string{"run", "shell", "join"}, cmd.Name())
}
