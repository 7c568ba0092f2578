//go:build darwin || linux

package harness

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// Signal sends signal to a process, or to a group if pid is negative, and adds that to
// the timeline. The caller makes sure that no other process has the PID by now.
func (s *Stage) Signal(pid int, signal syscall.Signal) error {
	done := s.spec.begin(Event{What: fmt.Sprintf("sends %s to %d", unix.SignalName(signal), pid)})
	err := syscall.Kill(pid, signal)
	done(outcome(err))
	if err != nil {
		return fmt.Errorf("signal %d: %w", pid, err)
	}
	return nil
}
