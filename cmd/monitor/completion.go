package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gemini-monitor/gemini/monitor"
)

// completedShells are the shells that completion knows.
var completedShells = []string{"bash", "zsh", "fish", "powershell"}

func newCompletion() *cobra.Command {
	var plain bool
	cmd := &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print what a shell needs to complete commands, flags, names and files",
		Long: `completion prints a script for bash, zsh, fish or powershell. It completes commands,
flags and their values, the names of runtimes, and behind run the commands of PATH and
then files.

Bash needs no package for it; where bash-completion is installed, the script uses it.
Zsh needs its completion: autoload -Uz compinit && compinit.`,
		Example: `  eval "$(monitor completion bash)"      # in ~/.bashrc
  eval "$(monitor completion zsh)"       # in ~/.zshrc, behind compinit
  monitor completion fish | source       # in ~/.config/fish/config.fish
  monitor completion zsh >"${fpath[1]}/_monitor"   # once, in place of eval`,
		Args: func(cmd *cobra.Command, args []string) error {
			if err := arguments(1, 1, "the name of a shell")(cmd, args); err != nil {
				return err
			}
			if !slices.Contains(completedShells, args[0]) {
				return usageError("completion knows %s, not %q", strings.Join(completedShells, ", "), args[0])
			}
			return nil
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return completedShells, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return printCompletion(cmd.OutOrStdout(), cmd.Root(), args[0], !plain)
		},
	}
	cmd.Flags().BoolVar(&plain, "no-descriptions", false, "complete without descriptions")
	return cmd
}

// printCompletion prints the script of a shell.
func printCompletion(out io.Writer, root *cobra.Command, shell string, described bool) error {
	var script bytes.Buffer
	var err error
	switch {
	case shell == "bash":
		if err = root.GenBashCompletionV2(&script, described); err == nil {
			_, err = io.WriteString(out, standAlone(script.String()))
		}
		return err
	case shell == "zsh" && described:
		err = root.GenZshCompletion(&script)
	case shell == "zsh":
		err = root.GenZshCompletionNoDesc(&script)
	case shell == "fish":
		err = root.GenFishCompletion(&script, described)
	case described:
		err = root.GenPowerShellCompletionWithDesc(&script)
	default:
		err = root.GenPowerShellCompletion(&script)
	}
	if err != nil {
		return fmt.Errorf("completion for %s: %w", shell, err)
	}
	_, err = script.WriteTo(out)
	return err
}

// completeFlags sets how the values of the flags are completed that all commands have. No
// command completes files, unless its own function says so.
func completeFlags(root *cobra.Command) {
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	_ = root.MarkPersistentFlagDirname("store")
	oneOf(root, "log-level", "debug", "info", "warn", "error")
	oneOf(root, "log-format", "text", "json")
}

// oneOf has a flag of a command completed with words of a fixed list.
func oneOf(cmd *cobra.Command, flag string, words ...string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

// completeArguments has the arguments of commands completed that take runtimes.
func completeArguments(root *cobra.Command, g *global) {
	for _, cmd := range root.Commands() {
		if slices.Contains([]string{"info", "tree", "serve", "why", "logs", "events", "top", "release"}, cmd.Name()) {
			cmd.ValidArgsFunction = completeName(g)
		}
		if slices.Contains([]string{"stop", "wait"}, cmd.Name()) {
			cmd.ValidArgsFunction = completeNames(g)
		}
	}
}

// completeNames returns a completion of any number of arguments that are names of runtimes.
// It reads the directory of the store, and neither a record nor the process table.
func completeNames(g *global) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		store, err := g.open()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		names, _ := store.Names()
		names = slices.DeleteFunc(names, func(name string) bool { return slices.Contains(args, name) })
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeNamesIn returns a completion of any number of arguments that are names of runtimes
// whose record has a state. It reads no process table.
func completeNamesIn(g *global, state monitor.State) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		store, err := g.open()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		names, _ := store.Names()
		names = slices.DeleteFunc(names, func(name string) bool {
			return slices.Contains(args, name) || !recordHas(store, name, state)
		})
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

func recordHas(store *monitor.Store, name string, state monitor.State) bool {
	r, err := store.Runtime(name)
	if err != nil {
		return false
	}
	record, err := r.Record()
	return err == nil && record.State == state
}

// completeName returns a completion of one argument that is the name of a runtime.
func completeName(g *global) cobra.CompletionFunc {
	names := completeNames(g)
	return func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return names(cmd, args, begun)
	}
}

// completeCommand completes a command and its arguments: with the commands of PATH, and with
// files where none of them begins like that, where a path was begun, and behind the command.
func completeCommand(_ *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 || strings.ContainsRune(begun, filepath.Separator) {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return commandsOf(searchPath(), begun), cobra.ShellCompDirectiveDefault
}

// completeShell completes arguments of a shell, which may be files. Nothing is proposed where
// none is begun: cobra does not tell whether "--" was there.
func completeShell(_ *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 && begun == "" {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveDefault
}

// commandsOf returns the names of programs in directories that begin with some text, in
// order. Names that a script of a shell cannot take are left out.
func commandsOf(dirs []string, begin string) []string {
	var names []string
	for _, dir := range dirs {
		entries, _ := os.ReadDir(dir) // one that cannot be read has no command to be found
		for _, entry := range entries {
			name := entry.Name()
			if strings.HasPrefix(name, begin) && printable(name) && executable(filepath.Join(dir, name)) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// executable reports whether a path is a file that some user may execute.
func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&fs.FileMode(0o111) != 0
}
