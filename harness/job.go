//go:build darwin || linux

package harness

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/harness/internal/terminal"
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

// An outlet is the output of a job.
type outlet struct {
	*terminal.Recording
	reader *terminal.Reader
	read   int           // offset of what Expect has not returned yet
	dead   chan struct{} // closed when no process is left that can write, and all was read
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

func (j *Job) newOutlet(file *os.File) (*outlet, error) {
	file, err := polled(file)
	if err != nil {
		return nil, err
	}
	o := &outlet{Recording: terminal.NewRecording(24, 80), dead: make(chan struct{})}
	if o.reader, err = terminal.NewReader(file, o.Recording); err != nil {
		return nil, err
	}
	go o.awaitDeath(j.tree)
	return o, nil
}

// awaitDeath waits until no process of the tree can write any more.
func (o *outlet) awaitDeath(t *tree) {
	t.awaitWriters(o.reader.Done())
	o.reader.CatchUp()
	close(o.dead)
}

// awaitWriters waits until the command has ended and its descendants have released the
// oracle, or the output has ended.
func (t *tree) awaitWriters(ended <-chan struct{}) {
	select {
	case <-t.process.exited:
	case <-t.process.guard.gone:
	case <-ended:
		return
	}
	if t.oracle == nil {
		return
	}
	select {
	case <-t.oracle.gone:
	case <-t.process.guard.gone:
	case <-ended:
	}
}

// Output returns what the job has written so far, to standard output and, without Apart,
// also to standard error. After the end of a process it has all that the process wrote.
func (j *Job) Output() string { return j.out.all() }

// Stdout returns what the job has written to standard output so far.
func (j *Job) Stdout() string { return j.out.all() }

// Stderr returns what the job has written to standard error so far. Without Apart that
// includes standard output.
func (j *Job) Stderr() string { return j.errors.all() }

// all returns the text with plain line ends.
func (o *outlet) all() string {
	o.reader.CatchUp()
	return o.Text(0, o.Len())
}

// Expect waits until standard output, and without Apart also standard error, has one of
// the alternatives after the last match. Each is a string, which is taken literally, or a
// [Pattern]. It fails the test when the job has ended without it.
func (j *Job) Expect(alternatives ...any) Match {
	j.stage.t.Helper()
	match, err := j.find(j.out.Recording, alternatives, j.out.read, j.out.dead)
	if err != nil {
		j.stage.t.Fatalf("%s", j.failure(err))
	}
	j.out.read = match.end
	return match
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
	if err != nil {
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

// A Result is what a command wrote and how it ended.
type Result struct {
	Stdout, Stderr string
	Status         Status
}

// Run runs a command to its end, without a terminal and without input, and returns what
// it has written until then. It fails the test if the command cannot be started or does
// not end.
func (s *Stage) Run(words ...string) Result {
	s.t.Helper()
	return s.Command(words...).Run()
}

// TryRun is Run, but it returns the error instead of failing the test.
func (s *Stage) TryRun(words ...string) (Result, error) {
	s.t.Helper()
	return s.Command(words...).tryRun()
}

// Run runs the command to its end, as [Stage.Run] does.
func (c *Command) Run() Result {
	c.stage.t.Helper()
	result, err := c.tryRun()
	if err != nil {
		c.stage.t.Fatalf("run: %v", err)
	}
	return result
}

// tryRun runs the command and adds that to the timeline.
func (c *Command) tryRun() (Result, error) {
	done := c.stage.spec.begin(Event{What: "runs " + brief(join(c.words), 500)})
	result, err := c.Apart().run()
	done(strings.TrimSpace(fmt.Sprintf("%v %s %s", result.Status, printed(result), outcome(err))))
	return result, err
}

// run runs the command under the warden that all commands of Run have.
func (c *Command) run() (result Result, err error) {
	s := c.stage
	if s.runner == nil {
		if s.runner, err = s.newGuard(); err != nil {
			return Result{}, err
		}
	}
	j, err := c.job("run", s.runner, false)
	if err != nil {
		s.runner = nil // its files may be out of step with its answers
		return Result{}, err
	}
	defer j.close() // what others write later is lost
	if err = j.await(j.limit, "end", j.process.exited); err != nil {
		j.process.end()
	}
	return Result{j.Stdout(), j.Stderr(), j.process.status}, err
}

// printed returns the output of a command, short enough for a timeline.
func printed(r Result) string {
	text := strings.TrimSpace(strings.TrimSpace(r.Stdout) + " " + strings.TrimSpace(r.Stderr))
	if text == "" {
		return "(no output)"
	}
	return fmt.Sprintf("%q", brief(text, 120))
}

// duplicate returns a copy of a descriptor that is close-on-exec.
func duplicate(file *os.File) (int, error) {
	fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("duplicate a descriptor: %w", err)
	}
	return fd, nil
}
