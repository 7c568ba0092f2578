package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gemini-monitor/gemini/monitor"
)

// runFlags are the flags of run, and but for the first those of shell.
type runFlags struct {
	wait                            bool
	name, timeout, leftovers, grace string
}

// add adds the flags that run and shell have in common.
func (o *runFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.name, "name", "", "name of the runtime (default: made up from the command)")
	flags.StringVar(&o.timeout, "timeout", "0", "how long the runtime may last, then it is told to end; 0 is no limit")
	flags.StringVar(&o.leftovers, "leftovers", leftoversKeep, "what becomes of processes that the command leaves: keep, stop or stop=GRACE")
	flags.StringVar(&o.grace, "grace", graceOfLimits, "how long processes that were told to end may take, before they are killed")
	flags.SetInterspersed(false) // what follows the command is the command's
	cmd.DisableFlagsInUseLine = true
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
