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

// remnants finds the processes with the stage's directory in their arguments
// or environment. It is for cleaning up and for reports; what it finds is no
// evidence for a verdict. macOS hides the environment of its own programs (System
// Integrity Protection): one of those is found by its arguments alone.
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

// shorten keeps the beginning: PID, parent, group, state, processor time, command.
func shorten(line string) string {
	const enough = 160
	return line[:min(len(line), enough)]
}

// processTable is every process of the machine, with its environment where
// the system shows it.
func processTable(ctx context.Context) (string, error) {
	out, err := ps(ctx, environmentFlag())
	if err != nil {
		return "", fmt.Errorf("ps: %w", err)
	}
	return out, nil
}

// environmentFlag has ps show environments: E on macOS, where e means
// something else; E is unknown to Linux.
var environmentFlag = sync.OnceValue(func() string {
	if _, err := ps(context.Background(), "E"); err != nil {
		return "e"
	}
	return "E"
})

func ps(ctx context.Context, environment string) (string, error) {
	cmd := exec.CommandContext(ctx, "ps", "ax"+environment+"wwo", "pid=,ppid=,pgid=,stat=,time=,command=")
	cmd.Env = []string{"PATH=/bin:/usr/bin"} // with ours it would find itself
	starting.Lock()
	defer starting.Unlock()
	out, err := cmd.Output()
	return string(out), err
}

// clear waits until nothing of the stage runs any more, a monitor included. What
// is there in the end is killed and reported.
func (s *Stage) clear(ctx context.Context) []string {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	limit, cancel := context.WithTimeout(ctx, s.grace)
	defer cancel()
	if s.t.Failed() {
		cancel() // one look: a failed spec need not wait for what will not come
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

func kill(found []remnant) []string {
	var lines []string
	for _, r := range found {
		syscall.Kill(r.pid, syscall.SIGKILL)
		lines = append(lines, "process "+r.line)
	}
	return lines
}
