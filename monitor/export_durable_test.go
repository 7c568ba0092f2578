package monitor

import (
	"os"
	"time"
)

// RerunUpTo begins to run an idle runtime again, and ends after a number of steps, as a process
// does that is killed there. It returns the names of the steps that were made, and how many
// there are.
func (s *Store) RerunUpTo(c Creation, number int) (made []string, all int, err error) {
	r := &Runtime{store: s, name: c.Name}
	next := newRecord(c)
	stage, err := os.MkdirTemp(s.runtimes(), stageOf(c.Owner, next.Machine))
	if err == nil {
		err = next.fill(stage)
	}
	if err == nil && c.OnEmpty != nil {
		err = c.OnEmpty.write(stage)
	}
	if err != nil {
		return nil, 0, err
	}
	lock, before, err := r.lockIdle()
	if err != nil {
		return nil, 0, err
	}
	defer lock.Close()
	steps := r.rerunSteps(stage, next.after(before))
	for _, step := range steps[:number] {
		if err := step.do(); err != nil {
			return made, len(steps), err
		}
		made = append(made, step.name)
	}
	return made, len(steps), nil
}

// Idle is the record of a durable runtime whose run has ended.
func (r Record) Idle(since time.Time) Record { return r.idle(since) }

const (
	HookFile   = hookFile
	SocketFile = socketFile
)
