//go:build darwin || linux

package main

import (
	"context"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// How long a program may take to tidy up. Ginkgo gives a scenario that does not
// notice half a minute, and then ends what it has started.
const farewell = time.Minute

// command is a program that is asked to end when ctx does, with SIGINT: Ginkgo
// then ends and removes what its specs have started and made. Whoever takes longer
// than farewell is killed.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = farewell
	// A ^C is for the judge alone. A program that got it too would be asked twice,
	// and the second time Ginkgo leaves without tidying up.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// goCommand is go, which on SIGINT ends at once, as its compilers do if they get
// it too. What it was at stays behind in the directory work.
func goCommand(ctx context.Context, work string, args ...string) *exec.Cmd {
	cmd := command(ctx, "go", args...)
	cmd.Env = append(os.Environ(), "GOTMPDIR="+work)
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	return cmd
}

// killed reports whether a program did not end by itself.
func killed(cmd *exec.Cmd) bool {
	if cmd.ProcessState == nil {
		return false
	}
	ended, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && ended.Signaled() && ended.Signal() == syscall.SIGKILL
}
