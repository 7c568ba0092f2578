//go:build darwin || linux

package harness

import "time"

// A method Within returns a new handle of the same thing, with another limit for what it
// waits for. The handle that it was called on keeps its own.

// Within returns a handle of the stage with another limit. It is for Run, TryRun, Puppet
// and Shell, and for what they return: commands, jobs, terminals and puppets.
//
//	stage.Within(time.Minute).Run("make", "world")
func (s *Stage) Within(limit time.Duration) *Stage { return &Stage{scene: s.scene, limit: limit} }

// Within sets the limit of Run, and of what the job or the terminal of the command waits
// for.
func (c *Command) Within(limit time.Duration) *Command {
	c.limit = limit
	return c
}

// Within returns a handle of the tree with another limit.
func (t *Tree) Within(limit time.Duration) *Tree { return &Tree{tree: t.tree, limit: limit} }

// Within returns a handle of the job with another limit:
//
//	job.Within(time.Second).ExpectExit(0)
func (j *Job) Within(limit time.Duration) *Job {
	c := *j
	c.limit = limit
	return &c
}

// Within returns a handle of the terminal with another limit.
func (t *Terminal) Within(limit time.Duration) *Terminal {
	c := *t
	c.limit = limit
	return &c
}

// Within returns a handle of the shell with another limit.
func (sh *Shell) Within(limit time.Duration) *Shell {
	c := *sh
	c.limit = limit
	return &c
}

// Within returns a handle of the puppet with another limit, for its answers and its end.
func (p *Puppet) Within(limit time.Duration) *Puppet { return &Puppet{actor: p.actor, limit: limit} }
