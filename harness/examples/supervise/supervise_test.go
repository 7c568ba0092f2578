package main

import (
	"syscall"
	"testing"

	"github.com/gemini-monitor/gemini/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// supervise starts the program with a command, and returns its tree.
func supervise(t *testing.T, command ...string) (*harness.Stage, *harness.Job) {
	t.Parallel()
	stage := harness.New(t, harness.Program("."))
	return stage, stage.Start(append([]string{"supervise", "-delay", "1ms", "-grace", "100ms", "--"}, command...)...)
}

func TestCommandThatCrashesIsStartedAgain(t *testing.T) {
	stage, job := supervise(t, "puppet", "worker")
	first := stage.Puppet("worker")
	first.Die(syscall.SIGKILL)
	second := stage.Puppet("worker")
	job.Expect("signal: killed; starting it again")
	second.Exit(3)
	job.Expect("exit status 3; starting it again")
	stage.Puppet("worker").Exit(0)
	job.ExpectExit(0)
	job.ExpectNobody()
}

func TestWholeGroupEndsWithTheSupervisor(t *testing.T) {
	stage, job := supervise(t, "puppet", "worker")
	child := stage.Puppet("worker").Fork("child")
	job.Signal(syscall.SIGTERM)
	job.ExpectExit(0)
	child.ExpectGone()
	job.ExpectNobody()
}

func TestGroupThatIgnoresTheRequestIsKilled(t *testing.T) {
	stage, job := supervise(t, "sh", "-c", `trap "" TERM; puppet stubborn; :`)
	stubborn := stage.Puppet("stubborn")
	job.Signal(syscall.SIGTERM)
	job.ExpectExit(0)
	stubborn.ExpectGone()
	job.ExpectNobody()
}

// A process with a session of its own is not in the group: the supervisor loses it. The
// harness does not.
func TestStrayInItsOwnSessionIsLeftBehind(t *testing.T) {
	stage, job := supervise(t, "puppet", "worker")
	stray := stage.Puppet("worker").DoubleFork("stray", harness.OwnSession)
	job.Signal(syscall.SIGTERM)
	job.ExpectExit(0)
	if job.Alive() != harness.Yes {
		t.Error(job.Census())
	}
	stray.Exit(0)
	job.ExpectNobody()
}

func TestUnknownCommandIsAnError(t *testing.T) {
	_, job := supervise(t, "no-such-command")
	job.Expect(harness.Pattern(`supervise: .*no-such-command.*not found`))
	job.ExpectExit(1)
}
