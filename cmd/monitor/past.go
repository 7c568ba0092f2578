package main

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/gemini-monitor/gemini/monitor"
)

// howWords returns how a runtime has ended, as the end of a sentence. It is empty for one
// that ended by itself.
func howWords(how monitor.Cause) string {
	switch how {
	case monitor.CauseEnded:
		return ""
	case monitor.CauseStop:
		return ", after a stop"
	case monitor.CauseTimeout:
		return ", after its time-out"
	case monitor.CauseLeftovers:
		return ", after its leftovers were told to end"
	}
	return ", by " + plain(string(how))
}

// stateEnded is the state of a removed runtime in the list of all. It is no state of a
// [monitor.Record].
const stateEnded = "ended"

// A pastEntry is a removed runtime in "list --all --json".
type pastEntry struct {
	Name  string `json:"name"`
	State string `json:"state"`
	monitor.Past
}

// pastOf returns the removed runtimes of a store, and the runs of durable ones. What could not be
// deleted of one is among all, and left out.
func pastOf(store *monitor.Store, all []monitor.Status) ([]monitor.Past, error) {
	past, err := store.History()
	return slices.DeleteFunc(past, func(p monitor.Past) bool {
		return slices.ContainsFunc(all, func(s monitor.Status) bool {
			return s.Name == p.Name && s.Owner == p.Owner && s.State != monitor.StateIdle
		})
	}), err
}

// allForm is the form of "list --all".
type allForm struct {
	json, quiet bool
	view        view
}

func (f allForm) print(out io.Writer, all []monitor.Status, past []monitor.Past) error {
	switch {
	case f.json:
		return printJSON(out, entriesOf(all, past))
	case f.quiet:
		return printAllNames(out, all, past)
	}
	return printAll(out, all, past, f.view)
}

// entriesOf returns all elements of "list --all --json".
func entriesOf(all []monitor.Status, past []monitor.Past) []any {
	entries := make([]any, 0, len(all)+len(past))
	for _, s := range all {
		entries = append(entries, s)
	}
	for _, p := range past {
		entries = append(entries, pastEntry{p.Name, stateEnded, p})
	}
	return entries
}

// printAll prints the runtimes of a store, and then those that were removed.
func printAll(out io.Writer, all []monitor.Status, past []monitor.Past, v view) error {
	if err := printList(out, all, v); err != nil || len(past) == 0 {
		return err
	}
	if _, err := fmt.Fprintln(out); err != nil {
		return err
	}
	rows := [][]string{{"NAME", "ENDED", "HOW", "LASTED", "COMMAND"}}
	for _, p := range past {
		// The clock may have been set back meanwhile.
		lasted := max(0, p.Ended.Sub(p.Created)).Round(time.Second)
		rows = append(rows, []string{p.Name, p.Ended.Local().Format(time.DateTime), plain(string(p.How)), lasted.String(), commandLine(p.Command)})
	}
	return printRows(out, rows, v.width)
}

// printAllNames prints the names of both.
func printAllNames(out io.Writer, all []monitor.Status, past []monitor.Past) error {
	if err := printNames(out, all); err != nil {
		return err
	}
	for _, p := range past {
		if _, err := fmt.Fprintln(out, p.Name); err != nil {
			return err
		}
	}
	return nil
}
