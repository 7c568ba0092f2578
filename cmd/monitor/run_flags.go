package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gemini-monitor/gemini/monitor"
)

// runFlags are the flags of run, and but for the first those of shell.
type runFlags struct {
	wait, hooked                    bool // hooked: --on-empty is given
	durable                         bool
	name, timeout, leftovers, grace string
	onEmpty, onEmptyLimit           string
}

// add adds the flags that run and shell have in common.
func (o *runFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.name, "name", "", "name of the runtime (default: made up from the command)")
	flags.BoolVar(&o.durable, "durable", false, "keep the runtime when it is empty, to be run again by its name")
	flags.StringVar(&o.timeout, "timeout", "0", "how long the runtime may last, then it is told to end; 0 is no limit")
	flags.StringVar(&o.leftovers, "leftovers", leftoversKeep, "what becomes of processes that the command leaves: keep, stop or stop=GRACE")
	flags.StringVar(&o.grace, "grace", graceOfLimits, "how long processes that were told to end may take, before they are killed")
	flags.StringVar(&o.onEmpty, "on-empty", "", "a command of the shell that the monitor runs when the runtime is empty, before it is removed")
	flags.StringVar(&o.onEmptyLimit, "on-empty-limit", "1m", "how long that may take before it is killed; 0 is no limit")
	flags.SetInterspersed(false) // what follows the command is the command's
	cmd.DisableFlagsInUseLine = true
	oneOf(cmd, "leftovers", leftoversKeep, leftoversStop)
}

// The values of --leftovers, and the grace where none is given.
const (
	leftoversKeep = "keep"
	leftoversStop = "stop"
	graceOfLimits = "10s"
)

// waits reports whether run stays until the runtime is gone.
func (o *runFlags) waits(said bool) bool {
	if said {
		return o.wait
	}
	timeout, err := parseSpan(o.timeout)
	return err == nil && timeout > 0
}

// longestSpan is the longest time of a limit, about 146 years. The record has times as
// numbers of seconds, which are not exact beyond.
const longestSpan = 1 << 62

// limits returns what the flags ask of the monitor.
func (o *runFlags) limits() (l monitor.Limits, err error) {
	span := func(flag, text string) monitor.Seconds {
		d, failed := parseSpan(text)
		if failed != nil && err == nil {
			err = fmt.Errorf("--%s: %w", flag, failed)
		}
		return monitor.Seconds(min(d, time.Duration(longestSpan)))
	}
	l.Timeout = span("timeout", o.timeout)
	grace := o.grace
	how, given, found := strings.Cut(o.leftovers, "=")
	switch {
	case o.leftovers == leftoversKeep:
	case how == leftoversStop && found && grace != graceOfLimits:
		return l, fmt.Errorf("--leftovers %s and --grace %s: give the grace once", o.leftovers, grace)
	case how == leftoversStop && found:
		l.Leftovers = true
		l.Grace = span("leftovers", given)
	case how == leftoversStop:
		l.Leftovers = true
	default:
		return l, fmt.Errorf("--leftovers takes keep, stop or stop=GRACE, not %q", o.leftovers)
	}
	if !found {
		l.Grace = span("grace", grace)
	}
	if l.Timeout == 0 && !l.Leftovers {
		l = monitor.Limits{} // a grace alone limits nothing
	}
	return l, err
}

// hook returns the on-empty command, nil for none. It has the surroundings of this process.
func (o *runFlags) hook() (*monitor.Hook, error) {
	if !o.hooked {
		return nil, nil
	}
	if o.onEmpty == "" {
		return nil, fmt.Errorf("--on-empty takes a command of the shell, not %q", o.onEmpty)
	}
	limit, err := parseSpan(o.onEmptyLimit)
	if err != nil {
		return nil, fmt.Errorf("--on-empty-limit: %w", err)
	}
	dir, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("--on-empty needs a working directory: %w", err)
	}
	return &monitor.Hook{
		Command: []string{"/bin/sh", "-c", o.onEmpty}, Environment: os.Environ(), Directory: dir,
		Limit: monitor.Seconds(min(limit, time.Duration(longestSpan))),
	}, nil
}

// limitArguments returns the flags that ask for limits.
func limitArguments(l monitor.Limits) (flags []string) {
	add := func(flag, value string) { flags = append(flags, "--"+flag+"="+value) }
	if l == (monitor.Limits{}) {
		return nil
	}
	add("grace", time.Duration(l.Grace).String())
	if l.Timeout > 0 {
		add("timeout", time.Duration(l.Timeout).String())
	}
	if l.Leftovers {
		add("leftovers", leftoversStop)
	}
	return flags
}
