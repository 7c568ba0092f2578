package detach

import "syscall"

// mayBeIgnored is true for each signal: golang.org/x/sys/unix has no sigaction(2) for macOS.
func mayBeIgnored(syscall.Signal) bool { return true }
