package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/gemini-monitor/gemini/monitor"
)

func newList(g *global) *cobra.Command {
	var asJSON, quiet, ended bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List all runtimes",
		Long: `list shows all runtimes of the store with their states:
  starting      made, its command not started yet
  running       a monitor watches it
  unmonitored   no monitor watches it; "monitor serve NAME" goes on with it, and
                where it is over the next run of that name removes it
  stopping      found empty and being removed; the reason is shown where that fails
  unknown       whether it has members could not be established, so it stays
  broken        its record or its journal cannot be read

With --all it goes on with those that were removed, as far as the history goes back, the
last one at the end: when they were removed, how long they lasted, and how they ended:
by themselves (ended), or by what told their members to end (stop, timeout, leftovers).`,
		Example: `  monitor list
  monitor list --all
  monitor list -q
  monitor list --json`,
		Args: arguments(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, err := g.open()
			if err != nil {
				return err
			}
			all, err := allOf(store)
			if err == nil && slices.ContainsFunc(all, isUnmonitored) && g.adopt(cmd.Context(), store) {
				all, err = allOf(store)
			}
			var past []monitor.Past
			if err == nil && ended {
				past, err = pastOf(store, all)
			}
			switch {
			case err != nil:
				return err
			case asJSON && quiet:
				return usageError("list takes --json or --quiet, not both")
			case ended:
				return allForm{asJSON, quiet}.print(cmd.OutOrStdout(), all, past)
			case asJSON:
				return printJSON(cmd.OutOrStdout(), all)
			case quiet:
				return printNames(cmd.OutOrStdout(), all)
			}
			return printList(cmd.OutOrStdout(), all, time.Now())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "print names only")
	cmd.Flags().BoolVarP(&ended, "all", "a", false, "list those too that were removed")
	return cmd
}

func allOf(store *monitor.Store) ([]monitor.Status, error) {
	survey, err := store.Survey()
	if err != nil {
		return nil, err
	}
	return survey.All()
}

func isUnmonitored(s monitor.Status) bool { return s.State == monitor.StateUnmonitored }

func printNames(out io.Writer, all []monitor.Status) error {
	for _, s := range all {
		if _, err := fmt.Fprintln(out, s.Name); err != nil {
			return err
		}
	}
	return nil
}

func printList(out io.Writer, all []monitor.Status, now time.Time) error {
	if len(all) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tSTATE\tOWNER\tMEMBERS\tAGE\tCOMMAND")
	for _, s := range all {
		owner, age, what := "-", "-", plain(s.Reason)
		if s.State != monitor.StateBroken {
			owner = strconv.Itoa(s.Owner.PID)
			if s.State != monitor.StateStopping || s.Reason == "" {
				what = commandLine(s.Command)
			}
			// The clock may have been set back since: an age is never negative.
			age = max(0, now.Sub(s.Created)).Round(time.Second).String()
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", s.Name, plain(string(s.State)), owner, headcount(s), age, what)
	}
	return w.Flush()
}

const unknowable = "-"

// headcount returns how many members a runtime is known to have. Where none is
// known and the state is unknown or broken, it returns unknowable: the runtime may
// have members.
func headcount(s monitor.Status) string {
	if len(s.Members) == 0 && (s.State == monitor.StateUnknown || s.State == monitor.StateBroken) {
		return unknowable
	}
	return strconv.Itoa(len(s.Members))
}
