package monitor

import (
	"os"

	"github.com/gemini-monitor/gemini/internal/erase"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// Unswept returns how many directories [Store.Sweep] would delete or try to: those in the
// trash, and of runtimes that were being made by a process that has died. It changes nothing.
func (s *Store) Unswept() (n int) {
	trash, _ := os.ReadDir(s.trash())
	n = len(trash)
	staged, _ := os.ReadDir(s.runtimes())
	for _, e := range staged {
		if maker, machine, ok := makerOf(e.Name()); ok && !mayLive(maker, machine) {
			n++
		}
	}
	return n
}

// ClearStages deletes what this process has begun to make and could not delete, as where the
// process had no descriptor left for that. No goroutine may be making a runtime. What cannot be
// deleted now either is left to [Store.Sweep].
func (s *Store) ClearStages() {
	self, err := process.Self()
	if err != nil {
		return
	}
	staged, _ := os.ReadDir(s.runtimes())
	for _, e := range staged {
		if maker, _, ok := makerOf(e.Name()); ok && maker == self {
			_ = erase.Within(s.dir, runtimesDir, e.Name())
		}
	}
}
