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
