package monitor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// systemLsof is where macOS has lsof(8), which need not be in PATH.
const systemLsof = "/usr/sbin/lsof"

// askLsof returns the PIDs of the processes that have a file open, by lsof(8). It ends with
// ctx. The process of lsof may be among them, and has ended.
func askLsof(ctx context.Context, file string) ([]int, error) {
	program, err := exec.LookPath("lsof")
	if err != nil {
		program, err = exec.LookPath(systemLsof)
	}
	if err != nil {
		return nil, errors.New("lsof(8) is not installed")
	}
	// No names of users, hosts and ports, and no warnings about file systems.
	cmd := exec.CommandContext(ctx, program, "-w", "-n", "-P", "-l", "-F", "p", "--", file)
	cmd.WaitDelay = time.Second // a child of it may keep the pipes
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err = cmd.Run()
	if ctx.Err() != nil {
		return nil, fmt.Errorf("lsof(8) does not answer: %w", context.Cause(ctx))
	}
	pids := lsofPIDs(out.String())
	if len(pids) == 0 && err != nil && complaint.Len() > 0 { // with none it exits with 1 and says nothing
		return nil, fmt.Errorf("lsof(8): %w: %s", err, bytes.TrimSpace(complaint.Bytes()))
	}
	return pids, nil
}

// lsofPIDs returns the PIDs in the output of lsof -F: the lines that begin with p.
func lsofPIDs(text string) (pids []int) {
	for line := range strings.Lines(text) {
		if digits, ok := strings.CutPrefix(strings.TrimSpace(line), "p"); ok {
			if pid, err := strconv.Atoi(digits); err == nil && pid > 0 {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}
