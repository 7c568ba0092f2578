package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// nearness is how many letters a command may differ by that is suggested.
const nearness = 2

func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "Explain a command",
		Long:    `help explains monitor, or one of its commands.`,
		Example: `  monitor help run`,
		Args:    arguments(0, 1, "at most the name of a command"),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) (names []string, _ cobra.ShellCompDirective) {
			for _, each := range cmd.Root().Commands() {
				if len(args) == 0 && each.IsAvailableCommand() {
					names = append(names, cobra.CompletionWithDesc(each.Name(), each.Short))
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return unknownCommand(cmd.Root(), args[0])
			}
			found.InitDefaultHelpFlag()
			found.InitDefaultVersionFlag()
			return found.Help()
		},
	}
}

// printHelp prints the help of a command in one write, so that a full disk is one error.
func printHelp(cmd *cobra.Command, _ []string) {
	long := cmd.Long
	if long == "" {
		long = cmd.Short
	}
	_, _ = io.WriteString(cmd.OutOrStdout(), strings.TrimSpace(long)+"\n\n"+cmd.UsageString()) // output keeps the error
}

// unknownCommand returns the error for a command that does not exist, with those that are
// spelt almost like it.
func unknownCommand(root *cobra.Command, name string) error {
	root.SuggestionsMinimumDistance = nearness
	near := root.SuggestionsFor(name)
	if len(near) == 0 {
		return usageError("there is no command %q; see 'monitor help'", name)
	}
	return usageError("there is no command %q; did you mean %s? See 'monitor help'", name, strings.Join(near, " or "))
}

// flagError gives the error of a bad flag its exit code, and names the help.
func flagError(cmd *cobra.Command, err error) error {
	help := "monitor help"
	if cmd.HasParent() {
		help += " " + cmd.Name()
	}
	err = fmt.Errorf("%w; see '%s'", err, help)
	if becomes(cmd) {
		return failed(err)
	}
	return &exitError{exitUsage, err}
}

// checkFlags checks the flags that all commands have.
func (g *global) checkFlags(cmd *cobra.Command) error {
	if flag := cmd.Flags().Lookup("store"); flag != nil && flag.Changed && g.store == "" {
		return usageError("--store takes a directory, not \"\"")
	}
	_, err := g.logger(io.Discard)
	return err
}
