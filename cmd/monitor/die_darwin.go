package main

import (
	"os"
	"strconv"
	"syscall"
)

// dieBy ends this process by a signal, as its default action does. It returns only
// where that cannot be done.
//
// The process becomes kill(1), because exec gives each signal with a handler its default
// action (docs/xnu.md X51). Go's runtime, whose handlers cannot be removed, would print
// a trace for SIGQUIT and exit with 2.
func dieBy(s syscall.Signal) {
	number := strconv.Itoa(int(s))
	_ = syscall.Exec("/bin/kill", []string{"kill", "-" + number, strconv.Itoa(os.Getpid())}, nil)
}
