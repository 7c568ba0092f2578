//go:build darwin || linux

// Package monitors drives the monitors that the scenarios test: Gemini, this
// project's own, and any other one through an adapter.
package monitors

import "context"

// A Monitor keeps a runtime for as long as its processes live. A scenario without
// the label "gemini" uses these methods only.
type Monitor interface {
	// Run returns the command line that starts argv in a new runtime.
	Run(runtime string, argv ...string) []string
	// Shell returns the command line that starts $SHELL in a new runtime.
	Shell(runtime string) []string
	// List returns the names of the runtimes that exist now.
	List(ctx context.Context) ([]string, error)
	// Report returns what the monitor lists, stores and has logged, for the report
	// of a failed spec.
	Report(ctx context.Context) string
}
