// Package detach starts a process outside of the caller's process tree, and has
// it report when it is ready.
//
// Three processes take part. The caller starts a first one, which starts a
// second one and ends. The second is then init's child, and has a session of its
// own and no terminal. It reports to the caller through a pipe, readyFD. The
// first process alone holds the writing end of another pipe, goneFD, by which the
// second sees that the first has ended. An open file of the caller's may go with them.
package detach

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// The descriptors of the second process. The first has the file at passedToFirst.
const (
	readyFD  = 3
	goneFD   = 4
	passedFD = 5

	passedToFirst = 4
)

// A report is a line that the second process writes to the caller.
type report struct {
	// Process is the second process. It comes first, so that the caller can end
	// one that gets stuck.
	Process *process.Identity `json:"process,omitempty"`
	Ready   bool              `json:"ready,omitempty"`
	Error   string            `json:"error,omitempty"`
}

// Start runs the first process with the given command line, which calls
// [Launch], and waits until the second has reported that it is ready. Their
// standard error goes to log. A second process that is not ready when ctx ends is
// killed, if it has reported that it began. The error is the reason why it is not ready.
//
// Passed is an open file that the second process gets, with the locks on it; see
// [Arrival.Passed]. Where it is nil, the second process gets /dev/null.
func Start(ctx context.Context, argv []string, log, passed *os.File) error {
	reports, theirs, err := os.Pipe()
	if err != nil {
		return err
	}
	defer reports.Close()
	if passed == nil {
		// The first process could not tell a descriptor that is closed from one of Go's.
		if passed, err = os.OpenFile(os.DevNull, os.O_RDWR, 0); err != nil {
			return errors.Join(err, theirs.Close())
		}
		defer passed.Close()
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env, cmd.Stderr = environment(), log
	cmd.ExtraFiles = []*os.File{theirs, passed}
	err = cmd.Run()
	theirs.Close()
	if err != nil {
		return err
	}
	return awaitReady(ctx, reports)
}

// awaitReady reads the reports until the process is ready.
func awaitReady(ctx context.Context, from *os.File) error {
	// A deadline in the past makes Read return at once.
	defer context.AfterFunc(ctx, func() { _ = from.SetReadDeadline(time.Unix(1, 0)) })()
	var process *process.Identity
	for reports := json.NewDecoder(from); ; {
		var r report
		err := reports.Decode(&r)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			if process != nil {
				_ = process.Signal(syscall.SIGKILL) // it may have ended meanwhile
			}
			if cause := context.Cause(ctx); !errors.Is(cause, context.DeadlineExceeded) {
				return cause
			}
			return errors.New("it did not answer in time")
		case errors.Is(err, io.EOF):
			return errors.New("it ended")
		case err != nil:
			return err
		case r.Error != "":
			return errors.New(r.Error)
		case r.Ready:
			return nil
		}
		process = r.Process
	}
}

// Launch is the work of the first process: it starts the second with the given
// command line, which calls [Arrive], and returns. Of the descriptors that the
// caller had open, the second has standard error alone. It has no environment, and
// default scheduling, signals and umask (docs/detached.md).
func Launch(argv []string) error {
	runtime.LockOSThread() // a child inherits some attributes from a thread
	if err := unblockSignals(); err != nil {
		return err
	}
	resetSignals()
	shedAttributes()
	if err := closeInheritedOnExec(); err != nil {
		return err
	}
	ready, passed := os.NewFile(readyFD, "ready"), os.NewFile(passedToFirst, "passed")
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	gone, ours, err := os.Pipe()
	if err != nil {
		return err
	}
	defer ours.Close() // the end of this process closes it too
	if err := startOutside(argv, null, null, os.Stderr, ready, gone, passed); err != nil {
		return fmt.Errorf("start monitor: %w", err)
	}
	return nil
}

// An Arrival is the second process's connection to the caller of [Start].
type Arrival struct {
	// Passed is the file that Start was given, else /dev/null. The second process closes it.
	Passed *os.File

	to      *os.File
	reports *json.Encoder
}

// Arrive reports this process, the second, to the caller of [Start], and returns
// when the first process has ended. The first process is a child of the caller, so
// a tracker of the caller would find it as a member.
func Arrive() (*Arrival, error) {
	ready, gone := os.NewFile(readyFD, "ready"), os.NewFile(goneFD, "gone")
	closeOnExec(readyFD)
	closeOnExec(goneFD)
	closeOnExec(passedFD)
	self, err := process.Self()
	if err != nil {
		return nil, err
	}
	a := &Arrival{Passed: os.NewFile(passedFD, "passed"), to: ready, reports: json.NewEncoder(ready)}
	// Where the caller has been killed, this process goes on: it cleans up.
	if err := a.reports.Encode(report{Process: &self}); err != nil && !errors.Is(err, syscall.EPIPE) {
		return nil, fmt.Errorf("answer the owner: %w", err)
	}
	if _, err := io.Copy(io.Discard, gone); err != nil {
		return nil, fmt.Errorf("wait for the parent: %w", err)
	}
	return a, gone.Close()
}

// Ready reports that this process is ready. It is the last report.
func (a *Arrival) Ready() error {
	err := a.reports.Encode(report{Ready: true})
	a.to.Close()
	if err != nil {
		return fmt.Errorf("answer the owner: %w", err)
	}
	return nil
}

// Refuse reports why this process will not be ready. It is the last report. It is
// no error where no process reads it any more.
func (a *Arrival) Refuse(why error) {
	_ = a.reports.Encode(report{Error: why.Error()})
	a.to.Close()
}

// Outside gives a command what the second process has: a session of its own, no
// environment, and the root directory.
func Outside(cmd *exec.Cmd) {
	cmd.SysProcAttr = ownSession()
	cmd.Env = environment()
	cmd.Dir = "/" // so that it keeps no file system busy
}
