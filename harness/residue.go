//go:build darwin || linux

package harness

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A remnant is a process that belongs to a stage, as ps shows it.
type remnant struct {
	pid  int
	line string
}

// remnants returns the processes with the stage's directory in arguments or
// environment. It serves clean-up and reports, and is no evidence for a verdict. macOS
// hides the environment of its own programs (System Integrity Protection), so those
// are found by their arguments only.
func (s *Stage) remnants(ctx context.Context) ([]remnant, error) {
	table, err := processTable(ctx)
	if err != nil {
		return nil, err
	}
	var found []remnant
	for line := range strings.Lines(table) {
		if !strings.Contains(line, s.dir) {
			continue
		}
		pid, err := strconv.Atoi(strings.Fields(line)[0])
		if err != nil {
			return nil, fmt.Errorf("read ps: %q: %w", line, err)
		}
		found = append(found, remnant{pid, shorten(strings.TrimSpace(line))})
	}
	return found, nil
}

// shorten cuts a line of ps. PID, parent, group, state, processor time and the
// beginning of the command stay.
func shorten(line string) string {
	const enough = 160
	return line[:min(len(line), enough)]
}

// processTable returns the lines of ps for all processes of the machine, with their
// environments where the system shows them.
func processTable(ctx context.Context) (string, error) {
	out, err := ps(ctx, environmentFlag())
	if err != nil {
		return "", fmt.Errorf("ps: %w", err)
	}
	return out, nil
}

// environmentFlag is the flag with which ps shows environments: E on macOS, where e
// has another meaning, and e on Linux, which does not know E.
var environmentFlag = sync.OnceValue(func() string {
	if _, err := ps(context.Background(), "E"); err != nil {
		return "e"
	}
	return "E"
})

// ps returns what ps prints about all processes.
func ps(ctx context.Context, environment string) (string, error) {
	cmd := exec.CommandContext(ctx, "ps", "ax"+environment+"wwo", "pid=,ppid=,pgid=,stat=,time=,command=")
	cmd.Env = []string{"PATH=/bin:/usr/bin"} // in the stage's environment remnants would find ps itself
	starting.Lock()
	defer starting.Unlock()
	out, err := cmd.Output()
	return string(out), err
}

// clear waits until no process of the stage is left, a monitor included. After the
// grace time it kills the rest and returns a line for each.
func (s *Stage) clear(ctx context.Context) []string {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	limit, cancel := context.WithTimeout(ctx, s.grace)
	defer cancel()
	if s.t.Failed() {
		cancel() // a failed spec reads the table once and does not wait
	}
	for {
		found, err := s.remnants(ctx)
		if err != nil {
			return []string{err.Error()}
		}
		if len(found) == 0 {
			return nil
		}
		select {
		case <-tick.C:
		case <-limit.Done():
			return kill(found)
		}
	}
}

// kill sends SIGKILL to the processes and returns a line for each.
func kill(found []remnant) []string {
	var lines []string
	for _, r := range found {
		syscall.Kill(r.pid, syscall.SIGKILL)
		lines = append(lines, "process "+r.line)
	}
	return lines
}
