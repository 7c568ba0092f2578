package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gemini-monitor/gemini/monitor"
)

func newList(g *global) *cobra.Command {
	var asJSON, quiet, ended, whole bool
	var state string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List all runtimes",
		Long: `list shows all runtimes of the store with their states:
  starting      made, its command not started yet
  running       a monitor watches it
  unmonitored   no monitor watches it; "monitor serve NAME" goes on with it, and
                where it is over the next run of that name removes it
  stopping      told to end, or found empty and being removed; the reason is shown
  idle          durable and empty: no process, no monitor; run or shell with its name
                runs it again, and rm removes it
  unknown       whether it has members could not be established, so it stays
  broken        its record or its journal cannot be read

PID is the process of the command, as long as that lives. On a terminal, commands are
cut where the line ends, and long names before their end, unless --wide is given.

With --all it goes on with those that were removed, and with each run of a durable one, as far as the history goes back, the
last one at the end: when they were removed, how long they lasted, and how they ended:
by themselves (ended), or by what told their members to end (stop, timeout, leftovers).`,
		Example: `  monitor list
  monitor list --all
  monitor list -q --state running
  monitor list --json`,
		Args: arguments(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkState(state); err != nil {
				return err
			}
			store, err := g.open()
			if err != nil {
				return err
			}
			all, err := g.allAdopted(cmd.Context(), store)
			var past []monitor.Past
			if err == nil && ended {
				past, err = pastOf(store, all)
			}
			if state != "" {
				all = slices.DeleteFunc(all, func(s monitor.Status) bool { return s.State != monitor.State(state) })
			}
			v := viewFor(cmd.OutOrStdout())
			if whole {
				v.width = 0
			}
			switch {
			case err != nil:
				return err
			case ended && state != "":
				return usageError("list takes --all or --state, not both")
			case asJSON && quiet:
				return usageError("list takes --json or --quiet, not both")
			case ended:
				return allForm{asJSON, quiet, v}.print(cmd.OutOrStdout(), all, past)
			case asJSON:
				return printJSON(cmd.OutOrStdout(), all)
			case quiet:
				return printNames(cmd.OutOrStdout(), all)
			}
			return printList(cmd.OutOrStdout(), all, v)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "print names only")
	cmd.Flags().BoolVarP(&ended, "all", "a", false, "list those too that were removed")
	cmd.Flags().BoolVarP(&whole, "wide", "w", false, "do not cut commands and names")
	cmd.Flags().StringVar(&state, "state", "", "list only runtimes in this state")
	return cmd
}

// states are those that a runtime can be listed with.
var states = []monitor.State{
	monitor.StateStarting, monitor.StateRunning, monitor.StateUnmonitored, monitor.StateStopping, monitor.StateIdle, monitor.StateUnknown, monitor.StateBroken,
}

// checkState returns an error unless the word is a state, or empty.
func checkState(word string) error {
	if word == "" || slices.Contains(states, monitor.State(word)) {
		return nil
	}
	names := make([]string, len(states))
	for i, s := range states {
		names[i] = string(s)
	}
	return usageError("--state takes one of %s, not %q", strings.Join(names, ", "), word)
}

func allOf(store *monitor.Store) ([]monitor.Status, error) {
	survey, err := store.Survey()
	if err != nil {
		return nil, err
	}
	return survey.All()
}

// allAdopted returns all runtimes. Those that no monitor has are taken over first.
func (g *global) allAdopted(ctx context.Context, store *monitor.Store) ([]monitor.Status, error) {
	all, err := allOf(store)
	if err == nil && slices.ContainsFunc(all, isUnmonitored) && g.adopt(ctx, store) {
		all, err = allOf(store)
	}
	return all, err
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

// printList prints a line for each runtime below a heading. It shows users where one is not
// the caller.
func printList(out io.Writer, all []monitor.Status, v view) error {
	users, known := slices.ContainsFunc(all, func(s monitor.Status) bool { return isForeign(s, v) }), names{}
	heading := []string{"NAME", "STATE", "PID", "MEMBERS", "AGE", "COMMAND"}
	if users {
		heading = slices.Insert(heading, 2, "USER")
	}
	rows := [][]string{heading}
	for _, s := range all {
		row := rowOf(s, v.now)
		if users {
			user := ""
			if isForeign(s, v) {
				user = userWords(s.User, known.name(s.User))
			}
			row = slices.Insert(row, 2, user)
		}
		rows = append(rows, row)
	}
	return printRows(out, rows, v.width)
}

// isForeign reports whether a runtime was made by another user than the caller.
func isForeign(s monitor.Status, v view) bool { return s.Version != 0 && s.User != v.self }

// rowOf returns what the list shows of a runtime.
func rowOf(s monitor.Status, now time.Time) []string {
	pid, age, what := "-", "-", plain(s.Reason)
	if s.State != monitor.StateBroken {
		if !s.OwnerEnded {
			pid = strconv.Itoa(s.Owner.PID)
		}
		if s.State != monitor.StateStopping || s.Reason == "" {
			what = commandLine(s.Command)
		}
		// The clock may have been set back since: an age is never negative.
		age = max(0, now.Sub(s.Created)).Round(time.Second).String()
	}
	return []string{s.Name, plain(string(s.State)), pid, headcount(s), age, what}
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
