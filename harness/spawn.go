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

// starting is held from before a fork until this process has closed its copies of the
// child's files. A child that another goroutine forks in between has the copies until
// its own exec, and would hold the oracle: without the lock about one start in ten.
var starting sync.Mutex

// A process is a command that the harness started and waits for.
type process struct {
	cmd    *exec.Cmd
	exited chan struct{} // closed after the reap; status may be read then
	status Status
	track  *track
}

// start starts cmd, closes given, the files that cmd inherits, and waits for the process
// in the background. Input and output of cmd must be files: with other readers and
// writers Wait would wait for grandchildren as well. k gets the start and the end.
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

// reap waits for the process.
func (p *process) reap() {
	defer close(p.exited)
	p.cmd.Wait() // its error has nothing that the state has not
	p.status = statusOf(p.cmd.ProcessState)
	p.track.record(Event{PID: p.PID(), What: "ended: " + p.status.String(), Life: Ends})
}

// PID returns the PID of the process. No other process has it until Exited is closed.
func (p *process) PID() int { return p.cmd.Process.Pid }

// Exited returns a channel that is closed when the process was reaped.
func (p *process) Exited() <-chan struct{} { return p.exited }

// Wait waits for the end of the process and returns how it ended.
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

// Signal sends s to the process. After the reap it does nothing.
func (p *process) Signal(s syscall.Signal) {
	done := p.track.begin(Event{PID: p.PID(), What: "gets signal " + unix.SignalName(s)})
	done(outcome(p.cmd.Process.Signal(s)))
}

// outcome returns the text of an error for the timeline, "" for nil.
func outcome(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// end kills the process, if it lives, and returns when it was reaped.
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

// reviveSignals makes children start with the default action for the signals of a
// terminal. Under nohup or in the background of a script this process ignores some of
// them. A child inherits an ignored signal, and a shell in it cannot reset it. An exec
// resets a signal that is caught.
var reviveSignals = sync.OnceFunc(func() {
	for _, s := range []os.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM} {
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s)
		}
	}
})
