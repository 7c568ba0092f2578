//go:build darwin || linux

package main

import (
	"context"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// farewell is how long an interrupted program may take to clean up. Ginkgo gives an
// interrupted scenario half a minute, and then runs its clean-up.
const farewell = time.Minute

// command returns a program that gets SIGINT when ctx ends: Ginkgo then runs the
// clean-up of its specs. A program that takes longer than farewell is killed.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = farewell
	// A group of its own, so that ^C reaches the judge only. At a second SIGINT Ginkgo
	// ends without clean-up.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// goCommand returns a go command. Go and its compilers end at SIGINT at once, and leave
// their files in the directory work.
func goCommand(ctx context.Context, work string, args ...string) *exec.Cmd {
	cmd := command(ctx, "go", args...)
	cmd.Env = append(os.Environ(), "GOTMPDIR="+work)
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	return cmd
}

// killed reports whether a program was ended by SIGKILL.
func killed(cmd *exec.Cmd) bool {
	if cmd.ProcessState == nil {
		return false
	}
	ended, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && ended.Signaled() && ended.Signal() == syscall.SIGKILL
}
