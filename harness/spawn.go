//go:build darwin || linux

package harness

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// starting is held from before a child is forked until our copies of what it
// was given are closed. A child that another goroutine forks in between has
// those copies until its own exec, and an oracle would see it as a ghost:
// about one start in ten did so without the lock.
var starting sync.Mutex

// A Process is a command that the harness started and waits for.
type process struct {
	cmd    *exec.Cmd
	exited chan struct{} // closed after the reap; status may be read then
	status Status
	track  *track
}

// start starts cmd, closes given, which are our copies of what cmd inherits,
// and waits for the process in the background. The descriptors of cmd must be
// files: with anything else Wait would wait for grandchildren as well. Start
// and end are noted in k.
func start(cmd *exec.Cmd, k *track, given ...*os.File) (*process, error) {
	reviveSignals()
	starting.Lock()
	began := time.Now()
	err := cmd.Start()
	for _, file := range given {
		file.Close()
	}
	starting.Unlock()
	if err != nil {
		return nil, fmt.Errorf("start %q: %w", cmd.Args, err)
	}
	p := &process{cmd: cmd, exited: make(chan struct{}), track: k}
	k.record(Event{Time: began, PID: p.PID(), What: "started: " + strings.Join(cmd.Args, " "), Life: Begins})
	go p.reap()
	return p, nil
}

func (p *process) reap() {
	defer close(p.exited)
	p.cmd.Wait() // its error only repeats the state
	p.status = statusOf(p.cmd.ProcessState)
	p.track.record(Event{PID: p.PID(), What: "ended: " + p.status.String(), Life: Ends})
}

// PID is the process's own; nobody else has it until Exited is closed.
func (p *process) PID() int { return p.cmd.Process.Pid }

// Exited is closed once the process has ended and was reaped.
func (p *process) Exited() <-chan struct{} { return p.exited }

// Wait returns how the process ended.
func (p *process) Wait(ctx context.Context) (Status, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case <-p.exited:
		return p.status, nil
	case <-ctx.Done():
		return Status{}, fmt.Errorf("wait for the end of %q: %w", p.cmd.Args, ctx.Err())
	}
}

// Signal sends s to the process; if it has ended this does nothing.
func (p *process) Signal(s syscall.Signal) {
	done := p.track.begin(Event{PID: p.PID(), What: "gets signal " + unix.SignalName(s)})
	done(outcome(p.cmd.Process.Signal(s)))
}

// outcome is what a timeline says of an error: nothing if there is none.
func outcome(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// end kills the process if it still lives and returns when it was reaped.
func (p *process) end() {
	p.cmd.Process.Kill()
	<-p.exited
}

// A Status is how a process ended. The zero value is success.
type Status struct {
	Code   int            // exit code, 0 if Signal is set
	Signal syscall.Signal // 0 after an exit
}

func (s Status) String() string {
	if s.Signal != 0 {
		return "killed by " + unix.SignalName(s.Signal)
	}
	return fmt.Sprintf("exit %d", s.Code)
}

func statusOf(state *os.ProcessState) Status {
	ended, ok := state.Sys().(syscall.WaitStatus)
	if ok && ended.Signaled() {
		return Status{Signal: ended.Signal()}
	}
	return Status{Code: state.ExitCode()}
}

// reviveSignals makes children start with the default action for the signals
// of a terminal. Under nohup, or in the background of a script, this process
// was started with some of them ignored, and a shell hands that on for good;
// a caught signal goes back to its default in a child.
var reviveSignals = sync.OnceFunc(func() {
	for _, s := range []os.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM} {
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s)
		}
	}
})
