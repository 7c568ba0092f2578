package monitor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// How a monitor comes to be outside of what it watches. The owner starts a
// first process, which starts a second and ends. The second is init's child,
// has a session of its own and no terminal; it is the monitor. It tells the
// owner through a pipe, readyFD, how it went. Another pipe, goneFD, which only
// the first process holds the other end of, tells it that the first has ended.
const (
	readyFD = 3
	goneFD  = 4
)

// An answer is a line that the monitor writes to the owner.
type answer struct {
	// Monitor is who answers. It comes first, so that the owner can end a
	// monitor that gets stuck.
	Monitor *process.Identity `json:"monitor,omitempty"`
	Ready   bool              `json:"ready,omitempty"`
	Error   string            `json:"error,omitempty"`
}

// Detach is the first process: it starts the monitor with the given command
// line and returns. Standard error, the log, is passed on.
func Detach(argv []string) error {
	if err := closeInheritedOnExec(); err != nil {
		return err
	}
	ready := os.NewFile(readyFD, "ready")
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	gone, ours, err := os.Pipe()
	if err != nil {
		return err
	}
	defer ours.Close() // and so does the end of this process
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = null, null, os.Stderr
	cmd.ExtraFiles = []*os.File{ready, gone}
	cmd.SysProcAttr = ownSession()
	cmd.Dir = "/" // do not keep anybody's file system busy
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start monitor: %w", err)
	}
	return cmd.Process.Release()
}

// WatchDetached is the second process: it watches the runtime as [Runtime.Watch]
// does and tells the owner how that began.
func (r *Runtime) WatchDetached(ctx context.Context, watch func(ready func()) error) error {
	ready, gone := os.NewFile(readyFD, "ready"), os.NewFile(goneFD, "gone")
	closeOnExec(readyFD)
	closeOnExec(goneFD)
	self, err := process.Lookup(os.Getpid())
	if err != nil {
		return err
	}
	say := json.NewEncoder(ready)
	if err := say.Encode(answer{Monitor: &self.Identity}); err != nil {
		return fmt.Errorf("answer the owner: %w", err)
	}
	// The first process is a child of the owner, and one less to write down
	// as a member when it has gone.
	if _, err := io.Copy(io.Discard, gone); err != nil {
		return fmt.Errorf("wait for the parent: %w", err)
	}
	gone.Close()
	var told error
	err = watch(func() {
		told = say.Encode(answer{Ready: true})
		ready.Close()
	})
	if err != nil && told == nil {
		_ = say.Encode(answer{Error: err.Error()}) // nobody may be listening
	}
	return errors.Join(err, told)
}

// awaitReady reads what the monitor answers until it is ready. A monitor that
// does not get there in time is ended.
func awaitReady(ctx context.Context, from *os.File) error {
	if deadline, ok := ctx.Deadline(); ok {
		if err := from.SetReadDeadline(deadline); err != nil {
			return err
		}
	}
	var who *process.Identity
	for answers := json.NewDecoder(from); ; {
		var a answer
		err := answers.Decode(&a)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			if who != nil {
				stop(*who)
			}
			return errors.New("it did not answer in time")
		case errors.Is(err, io.EOF):
			return errors.New("it ended")
		case err != nil:
			return err
		case a.Error != "":
			return errors.New(a.Error)
		case a.Ready:
			return nil
		}
		who = a.Monitor
	}
}

// awaitLock takes the lock of a runtime whose monitor is about to end, if it has
// one.
func (r *Runtime) awaitLock(ctx context.Context, lock *os.File) error {
	if err := r.take(lock); !errors.Is(err, ErrWatched) {
		return err
	}
	release, err := watchRelease(r.path(lockFile))
	if err != nil {
		return err
	}
	defer release.close()
	for patience := quickLook; ; patience = min(2*patience, time.Second) {
		if err := r.take(lock); !errors.Is(err, ErrWatched) {
			return err
		}
		if err := release.wait(ctx, patience); err != nil {
			return r.wrap(fmt.Errorf("is not let go by its monitor: %w", err))
		}
	}
}
