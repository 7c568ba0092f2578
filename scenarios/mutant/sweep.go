//go:build darwin || linux

package main

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// ownerPath is the file that has the PID of the owner of a runtime.
func ownerPath(runtime string) string { return filepath.Join(directory(runtime), "owner") }

// sweep removes the runtimes whose owners have ended, though members may live.
func sweep() {
	entries, _ := os.ReadDir(directory(""))
	for _, e := range entries {
		text, _ := os.ReadFile(ownerPath(e.Name()))
		pid, err := strconv.Atoi(string(text))
		if err != nil {
			continue
		}
		p, err := process.Lookup(pid)
		if errors.Is(err, process.ErrGone) || err == nil && p.State == process.Zombie {
			_ = remove(e.Name())
		}
	}
}
