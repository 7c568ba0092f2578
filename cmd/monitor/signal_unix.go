//go:build unix

package main

import (
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// parseSignal reads the signal that asks processes to end: its name, with or without SIG, in
// any case, or its number.
func parseSignal(text string) (syscall.Signal, error) {
	name := strings.ToUpper(text)
	if !strings.HasPrefix(name, "SIG") {
		name = "SIG" + name
	}
	sig := unix.SignalNum(name)
	if n, err := strconv.Atoi(text); err == nil && unix.SignalName(syscall.Signal(n)) != "" {
		sig = syscall.Signal(n)
	}
	switch {
	case sig == 0:
		return 0, usageError("--signal takes the name or the number of a signal, not %q", text)
	case slices.Contains([]syscall.Signal{unix.SIGSTOP, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU, unix.SIGCONT}, sig):
		return 0, usageError("--signal takes a signal that can end a process, not %s", unix.SignalName(sig))
	}
	return sig, nil
}
