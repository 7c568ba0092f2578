package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// newMan returns the command that packagers and make man use.
func newMan() *cobra.Command {
	return &cobra.Command{
		Use:    "man DIRECTORY",
		Short:  "Write a manual page for each command into a directory",
		Hidden: true,
		Long: `man writes monitor.1, monitor-run.1 and a page for each other command into a
directory, which it makes. The date in them is $SOURCE_DATE_EPOCH, else that of the
source.`,
		Example: `  monitor man share/man/man1`,
		Args:    arguments(1, 1, "a directory"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			date, err := pageDate(os.Getenv("SOURCE_DATE_EPOCH"))
			if err != nil {
				return err
			}
			return writePages(cmd.Root(), args[0], date)
		},
	}
}

// pageDate returns the date of the manual pages, from a number of seconds since 1970 or, where
// that is empty, from the build information; empty where that has none.
func pageDate(epoch string) (string, error) {
	when := time.Time{}
	if epoch != "" {
		seconds, err := strconv.ParseInt(epoch, 10, 64)
		if err != nil {
			return "", usageError("SOURCE_DATE_EPOCH is %q, not a number of seconds", epoch)
		}
		when = time.Unix(seconds, 0)
	} else if build, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range build.Settings {
			if setting.Key == "vcs.time" {
				when, _ = time.Parse(time.RFC3339, setting.Value)
			}
		}
	}
	if when.IsZero() {
		return "", nil
	}
	return when.UTC().Format(time.DateOnly), nil
}

// writePages writes the pages of a program and its commands.
func writePages(root *cobra.Command, dir, date string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, cmd := range documented(root) {
		if err := os.WriteFile(filepath.Join(dir, pageName(cmd)+".1"), []byte(pageOf(cmd, date)), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// documented returns a program and its commands, hidden ones left out.
func documented(root *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{root}
	for _, cmd := range root.Commands() {
		if cmd.IsAvailableCommand() {
			all = append(all, cmd)
		}
	}
	return all
}

func pageName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// pageOf returns the manual page of a command.
func pageOf(cmd *cobra.Command, date string) string {
	cmd.InitDefaultHelpFlag()
	cmd.InitDefaultVersionFlag()
	name := pageName(cmd)
	p := &page{}
	p.title(strings.ToUpper(name), date, "monitor "+moduleVersion())
	p.section("NAME")
	p.text(name + " - " + strings.ToLower(cmd.Short[:1]) + cmd.Short[1:])
	p.section("SYNOPSIS")
	p.literal(cmd.UseLine())
	p.section("DESCRIPTION")
	long, _, _ := strings.Cut(cmd.Long, "\n\nExit codes:") // which have a section of their own
	p.text(long)
	if !cmd.HasParent() {
		p.section("COMMANDS")
		for _, each := range documented(cmd)[1:] {
			p.item(each.UseLine(), each.Short)
		}
	}
	p.section("OPTIONS")
	p.flags(cmd.LocalFlags().FlagUsages())
	p.flags(cmd.InheritedFlags().FlagUsages())
	p.section("EXIT STATUS")
	for _, row := range exitCodes {
		p.item(strconv.Itoa(row.code), row.meaning)
	}
	p.section("EXAMPLES")
	p.literal(cmd.Example)
	p.section("SEE ALSO")
	p.text(seeAlso(cmd))
	return p.String()
}

// seeAlso returns the other pages.
func seeAlso(cmd *cobra.Command) string {
	var others []string
	for _, other := range documented(cmd.Root()) {
		if other != cmd {
			others = append(others, fmt.Sprintf("%s(1)", pageName(other)))
		}
	}
	return strings.Join(others, ", ")
}
