//go:build darwin || linux

package harness

import (
	"fmt"
	"strings"
)

// A Result is what a command wrote and how it ended.
type Result struct {
	Stdout, Stderr string
	Status         Status
}

// Run runs a command to its end, without a terminal and without input, and returns what
// it has written until then. It fails the test if the command cannot be started or does
// not end within the limit: 30 s, another one in a handle that Within returns. Then the
// stage kills the command and its process group.
func (s *Stage) Run(words ...string) Result {
	s.t.Helper()
	return s.Command(words...).Run()
}

// TryRun is Run, but it returns the error instead of failing the test. The status beside an
// error has the code -1 if the command was not started, and SIGKILL if it did not end.
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
	if err != nil {
		line, _, _ := strings.Cut(err.Error(), livedBefore)
		done(line)
	} else {
		done(fmt.Sprintf("%v %s", result.Status, printed(result)))
	}
	return result, err
}

// run runs the command under the warden that all commands of Run have.
func (c *Command) run() (Result, error) {
	s := c.stage
	failed := Result{Status: notStarted}
	if s.runner == nil {
		var err error
		if s.runner, err = s.newGuard(); err != nil {
			return failed, err
		}
	}
	j, err := c.job("run", s.runner, false)
	if err != nil {
		s.runner = nil // its files may be out of step with its answers
		return failed, err
	}
	defer j.close() // what others write later is lost
	if err = j.await(j.limit, "end", j.process.exited); err != nil {
		err = j.cutOff(err)
	}
	return Result{j.Stdout(), j.Stderr(), j.process.status}, err
}

// livedBefore goes in front of the processes in the error of a command that did not end. The
// timeline has the error without them.
const livedBefore = "; before that there were\n"

// cutOff kills a command of Run that has not ended, with its group. It adds to the error
// what lived before, and what the command wrote.
func (j *Job) cutOff(err error) error {
	if closed(j.process.guard.gone) {
		return err
	}
	forest, unread := j.stage.forest(nil)
	j.track.record(Event{PID: j.PID(), What: "it has not ended: the stage sends SIGKILL to its group"})
	j.process.endGroup()
	return fmt.Errorf("%w; the stage has killed it%s%s%s%s", err, j.lastWords(), livedBefore, forest, outcome(unread))
}

// printed returns the output of a command, short enough for a timeline.
func printed(r Result) string {
	text := strings.TrimSpace(strings.TrimSpace(r.Stdout) + " " + strings.TrimSpace(r.Stderr))
	if text == "" {
		return "(no output)"
	}
	return fmt.Sprintf("%q", brief(text, 120))
}
