//go:build darwin || linux

package harness

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/harness/internal/wire"
)

// A Job is a command without a terminal. It leads a process group of its own, writes to
// pipes, and has an oracle at descriptor 3.
type Job struct {
	Tree
	*jobParts
}

// jobParts are what all copies of a Job share.
type jobParts struct {
	out, errors *outlet
	input       *os.File // nil without Pipe
	lock        string   // path; empty without CrossCheck
	cgroup      *cgroup
}

// connect takes over the ends of the pipes: input, output and errors, as far as there are
// pipes.
func (j *Job) connect(order *wire.Command, back []*os.File) (err error) {
	if order.Input == wire.Pipe {
		if j.input, err = polled(back[0]); err != nil {
			return err
		}
		back = back[1:]
	}
	if j.out, err = j.newOutlet(back[0]); err != nil {
		return err
	}
	j.errors = j.out
	if order.Errors == wire.Pipe {
		j.errors, err = j.newOutlet(back[1])
	}
	return err
}

// Output returns what the job has written so far, to standard output and, without Apart,
// also to standard error. After the end of a process it has all that the process wrote.
func (j *Job) Output() string { return j.out.all() }

// Stdout returns what the job has written to standard output so far.
func (j *Job) Stdout() string { return j.out.all() }

// Stderr returns what the job has written to standard error so far. Without Apart that
// includes standard output.
func (j *Job) Stderr() string { return j.errors.all() }

// Expect waits until standard output, and without Apart also standard error, has one of
// the alternatives after the last match. Each is a string, which is taken literally, or a
// [Pattern]. Of several that have come, the one that begins first in the output wins, and of
// those that begin together the first in the list.
//
// It fails the test when the command has failed (an exit code other than 0, or a signal)
// without it, though a descendant may have the output. A command that exits with 0 may have
// started a daemon: Expect then waits while a descendant can write. So it does whatever the
// status is after Wait, ExpectExit or ExpectKilled.
func (j *Job) Expect(alternatives ...any) Match {
	j.stage.t.Helper()
	match, err := j.expect(j.out, alternatives)
	if err != nil {
		j.stage.t.Fatalf("%s%s", j.failure(err), lastOf("standard error", j.apartErrors()))
	}
	return match
}

// ExpectStderr is Expect for the standard error of a job with Apart. Each of the two goes on
// behind its own last match. Without Apart it is Expect.
func (j *Job) ExpectStderr(alternatives ...any) Match {
	j.stage.t.Helper()
	if !j.apart() {
		return j.Expect(alternatives...)
	}
	match, err := j.expect(j.errors, alternatives)
	if err != nil {
		j.stage.t.Fatalf("%s%s", j.failure(fmt.Errorf("standard error: %w", err)), lastOf("standard output", j.out))
	}
	return match
}

func (j *Job) expect(o *outlet, alternatives []any) (Match, error) {
	match, err := j.find(o.Recording, alternatives, o.read, o.writers)
	if err != nil {
		return Match{}, early(err, o.Recording, alternatives, o.read)
	}
	o.read = match.end
	return match, nil
}

// Write writes text to the standard input of a job with Pipe. It waits while the pipe is
// full.
func (j *Job) Write(text string) {
	j.stage.t.Helper()
	if j.input == nil {
		j.stage.t.Fatalf("%s: write: the command was started without Pipe", j.name)
	}
	done := j.track.begin(Event{PID: j.PID(), What: fmt.Sprintf("gets input %q", brief(text, 200))})
	err := j.input.SetWriteDeadline(time.Now().Add(j.limit))
	if err == nil {
		_, err = j.input.WriteString(text)
	}
	done(outcome(err))
	switch {
	case errors.Is(err, unix.EPIPE) && closed(j.process.exited):
		j.stage.t.Fatalf("%s: write: %v", j.name, j.ended())
	case errors.Is(err, unix.EPIPE):
		j.stage.t.Fatalf("%s: write: no process has the other end of the pipe: %v", j.name, unix.EPIPE)
	case err != nil:
		j.stage.t.Fatalf("%s: write: %v", j.name, err)
	}
}

// CloseInput ends the standard input of a job with Pipe.
func (j *Job) CloseInput() {
	j.stage.t.Helper()
	if j.input == nil {
		j.stage.t.Fatalf("%s: close the input: the command was started without Pipe", j.name)
	}
	j.track.record(Event{PID: j.PID(), What: "its input ends"})
	if err := j.input.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		j.stage.t.Fatalf("%s: close the input: %v", j.name, err)
	}
}

// close closes the pipes.
func (j *Job) close() {
	if j.input != nil {
		j.input.Close()
	}
	for _, o := range []*outlet{j.out, j.errors} {
		if o != nil { // nil if the start has failed
			o.reader.Close()
			<-o.dead
		}
	}
}

// duplicate returns a copy of a descriptor that is close-on-exec.
func duplicate(file *os.File) (int, error) {
	fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("duplicate a descriptor: %w", err)
	}
	return fd, nil
}
