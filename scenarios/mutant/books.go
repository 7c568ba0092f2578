//go:build darwin || linux

package main

import (
	"encoding/json"
	"os"
	"os/signal"
	"syscall"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// givesUp keeps a journal in the runtime, and ends when it cannot write it.
func givesUp(w *watch, ready func()) error {
	signal.Ignore(syscall.SIGXFSZ) // a write fails instead
	journal, err := os.OpenFile(w.lease.Name()+".journal", os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer journal.Close()
	var failed error
	kin := w.kin(true)
	ready()
	if err := w.follow(func(live []process.Process) []process.Process {
		members := kin(live)
		if failed = json.NewEncoder(journal).Encode(members); failed != nil {
			return nil
		}
		return members
	}); err != nil {
		return err
	}
	if failed != nil {
		return failed
	}
	return w.awaitLease()
}
