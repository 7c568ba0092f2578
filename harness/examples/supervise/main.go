// Supervise keeps a command running.
//
//	supervise [-delay 100ms] [-grace 5s] -- COMMAND [ARGUMENT...]
//
// It starts the command again when it was killed by a signal or has exited with another
// status than 0, and exits with 0 after an exit with 0. At SIGTERM or SIGINT it ends the
// process group of the command, with SIGTERM and after the grace time with SIGKILL, and
// exits with 0.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

// A supervisor runs one command. Each run of it has a process group of its own.
type supervisor struct {
	argv  []string
	delay time.Duration // between an end and the next start
	grace time.Duration // between SIGTERM and SIGKILL
}

func main() {
	s := supervisor{}
	flag.DurationVar(&s.delay, "delay", 100*time.Millisecond, "time between an end of the command and its next start")
	flag.DurationVar(&s.grace, "grace", 5*time.Second, "time between SIGTERM and SIGKILL")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: supervise [-delay DURATION] [-grace DURATION] -- COMMAND [ARGUMENT...]")
		flag.PrintDefaults()
	}
	flag.Parse()
	if s.argv = flag.Args(); len(s.argv) == 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := s.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "supervise:", err)
		os.Exit(1)
	}
}

// run runs the command until it exits with 0 or ctx ends. An error is that the command
// cannot be started.
func (s *supervisor) run(ctx context.Context) error {
	for {
		err := s.once(ctx)
		var failed *exec.ExitError
		switch {
		case ctx.Err() != nil, err == nil:
			return nil
		case !errors.As(err, &failed):
			return err
		}
		fmt.Fprintf(os.Stderr, "supervise: %s: %v; starting it again\n", s.argv[0], failed)
		select {
		case <-time.After(s.delay):
		case <-ctx.Done():
			return nil
		}
	}
}

// once starts the command and waits for its end, which the end of ctx brings about. It
// returns when no process of the group lives.
func (s *supervisor) once(ctx context.Context) error {
	cmd := exec.Command(s.argv[0], s.argv[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	group := cmd.Process.Pid
	select {
	case err := <-ended:
		s.end(group)
		return err
	case <-ctx.Done():
	}
	// The leader is a member of its group until it was waited for.
	syscall.Kill(-group, syscall.SIGTERM)
	var err error
	select {
	case err = <-ended:
	case <-time.After(s.grace):
		syscall.Kill(-group, syscall.SIGKILL)
		err = <-ended
	}
	s.end(group)
	return err
}

// end ends what is left of a process group, and returns when it is empty. What does not
// end at SIGKILL is left.
func (s *supervisor) end(group int) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		if syscall.Kill(-group, sig) != nil { // ESRCH: the group is empty
			return
		}
		for deadline := time.Now().Add(s.grace); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) { // no event tells that a group is empty
			if syscall.Kill(-group, 0) != nil {
				return
			}
		}
	}
}
