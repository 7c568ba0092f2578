package main

import (
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// dieBy ends this process by a signal, as its default action does. It returns only
// where that cannot be done.
//
// The process becomes kill(1), because exec gives each signal with a handler its default
// action (docs/xnu.md X51). Go's runtime, whose handlers cannot be removed, would print
// a trace for SIGQUIT and exit with 2.
func dieBy(s syscall.Signal) {
	name := strings.TrimPrefix(unix.SignalName(s), "SIG")
	_ = syscall.Exec("/bin/kill", []string{"kill", "-" + name, strconv.Itoa(os.Getpid())}, nil)
}
