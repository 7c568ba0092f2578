package main

import (
	"fmt"
	"os"
	"time"

	"github.com/gemini-monitor/gemini/monitor"
)

// nameDurable makes a name for a durable runtime that has none, and prints it: it is run again
// by its name.
func nameDurable(what *monitor.Creation) {
	if what.Durable && what.Name == "" {
		what.Name = monitor.MadeUpName(what.Command)
		fmt.Fprintf(os.Stderr, "monitor: durable runtime %q; 'monitor run --name %s' runs it again\n", what.Name, what.Name)
	}
}

// durableLines are what "info" prints of a durable runtime alone.
func durableLines(s monitor.Status, line func(key string, value any)) {
	if !s.Durable {
		return
	}
	line("durable", "since "+s.Made.Local().Format(time.RFC3339))
	if s.State == monitor.StateIdle {
		line("idle_since", s.IdleSince.Local().Format(time.RFC3339))
	}
}

// idleBefore is the error about a durable runtime whose last run had ended before a command
// began.
func idleBefore(r monitor.Record) error {
	return fmt.Errorf("runtime %q is idle since %s", r.Name, r.IdleSince.Local().Format(time.RFC3339))
}
