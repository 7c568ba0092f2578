//go:build darwin || linux

package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// A Job is a command without a terminal. It leads a process group of its own, has no
// input, writes to a file, and has an oracle at descriptor 3.
type Job struct {
	stage   *Stage
	track   *track
	process *process
	oracle  *Oracle
	output  string // path
	lock    string // path; empty without CrossCheck
	cgroup  *cgroup
}

// Start starts argv as a job. It fails the test if argv cannot be started.
func (s *Stage) Start(argv ...string) *Job {
	s.t.Helper()
	name := fmt.Sprintf("job-%d", len(s.jobs))
	j := &Job{stage: s, track: s.timeline.track(name), output: s.Path(name)}
	file, err := os.Create(j.output)
	if err != nil {
		s.t.Fatalf("start %q: %v", argv, err)
	}
	if j.oracle, err = newOracle(j.track.oracle()); err != nil {
		s.t.Fatalf("start %q: %v", argv, err)
	}
	cmd := s.command(argv...)
	cmd.Stdout, cmd.Stderr = file, file
	cmd.ExtraFiles = []*os.File{j.oracle.write}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	given := []*os.File{file, j.oracle.write}
	if s.crossCheck {
		more, err := j.addWitnesses(cmd)
		if given = append(given, more...); err != nil {
			s.t.Fatalf("start %q: %v", argv, err)
		}
	}
	if j.process, err = start(cmd, j.track, given...); err != nil {
		j.oracle.close()
		s.t.Fatalf("%v", err)
	}
	s.jobs = append(s.jobs, j)
	return j
}

// PID returns the PID of the process that Start started.
func (j *Job) PID() int { return j.process.PID() }

// Oracle returns the oracle that the process and its descendants inherit.
func (j *Job) Oracle() *Oracle { return j.oracle }

// Exited returns a channel that is closed when the process was reaped.
func (j *Job) Exited() <-chan struct{} { return j.process.Exited() }

// Signal sends a signal to the process. After the reap it does nothing.
func (j *Job) Signal(sig syscall.Signal) { j.process.Signal(sig) }

// Wait waits for the end of the process, not of its descendants, and returns how it
// ended. It fails the test if that takes too long.
func (j *Job) Wait(ctx context.Context) Status {
	j.stage.t.Helper()
	status, err := j.process.Wait(ctx)
	if err != nil {
		j.stage.t.Fatalf("%v; output: %s", err, j.Output())
	}
	return status
}

// Output returns what the job has written to standard output and error so far.
func (j *Job) Output() string {
	written, err := os.ReadFile(j.output)
	if err != nil {
		return err.Error()
	}
	return string(written)
}

// A Result is what a command wrote and how it ended.
type Result struct {
	Stdout, Stderr string
	Status         Status
}

// Run runs a command to its end, without a terminal and without input. It fails the
// test if the command cannot be started, or if a process keeps its output open
// after its end.
func (s *Stage) Run(ctx context.Context, argv ...string) Result {
	s.t.Helper()
	result, err := s.TryRun(ctx, argv...)
	if err != nil {
		s.t.Fatalf("run %q: %v", argv, err)
	}
	return result
}

// TryRun is Run, but it returns the error instead of failing the test.
func (s *Stage) TryRun(ctx context.Context, argv ...string) (Result, error) {
	done := s.spec.begin(Event{What: "runs " + strings.Join(argv, " ")})
	result, err := s.tryRun(ctx, argv...)
	done(strings.TrimSpace(fmt.Sprintf("%v %s %s", result.Status, printed(result), outcome(err))))
	return result, err
}

// printed returns the output of a command, short enough for a timeline.
func printed(r Result) string {
	text := strings.TrimSpace(strings.TrimSpace(r.Stdout) + " " + strings.TrimSpace(r.Stderr))
	if text == "" {
		return "(no output)"
	}
	return fmt.Sprintf("%q", brief(text, 120))
}

func (s *Stage) tryRun(ctx context.Context, argv ...string) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := s.command(argv...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = s.grace
	starting.Lock()
	err := cmd.Start()
	starting.Unlock()
	if err != nil {
		return Result{}, err
	}
	stop := context.AfterFunc(ctx, func() { cmd.Process.Kill() })
	defer stop()
	err = cmd.Wait()
	result := Result{stdout.String(), stderr.String(), statusOf(cmd.ProcessState)}
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		return result, fmt.Errorf("%w (%v; stdout %q, stderr %q)", err, result.Status, result.Stdout, result.Stderr)
	}
	return result, ctx.Err()
}
