//go:build !darwin && !linux

package harness

// The harness needs pseudo-terminals, process groups, signals and a process table as Linux
// and macOS have them. On other systems its build fails with this name, which is not
// defined.
var _ = the_harness_runs_on_Linux_and_macOS_only
