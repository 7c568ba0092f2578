//go:build darwin || (linux && !amd64 && !arm64)

package standin

import "syscall"

// askForSenders does nothing, and reports that. The kernel tells a handler what a signal comes from, and the
// handler is that of Go's runtime, which does not pass it on.
func askForSenders([]syscall.Signal, chan<- notice) bool { return false }
