package monitor

import (
	"errors"
	"os"

	"github.com/gemini-monitor/gemini/internal/erase"
	"github.com/gemini-monitor/gemini/internal/mark"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// Run makes a runtime whose owner is the calling process, and turns the process into a
// program: same PID, terminal and process group. The program is not started before the
// monitor watches this process, so that no process of the runtime is ever unwatched.
//
// Run returns only where it fails; then it has removed the runtime, or made it idle again
// where it was, and ended its monitor. The error is [ErrBadName], [ErrExist], [ErrNoMonitor],
// a [ToldError] or an [os.PathError] of "exec". Until the program begins, SIGINT, SIGTERM,
// SIGHUP and SIGQUIT end Run and not the process. The owner in the creation does not count.
//
// Called from the first thread of the process, Run keeps what belongs to a thread
// (prctl(2), PR_SET_PDEATHSIG).
func (s *Store) Run(c Creation, p Program) error {
	told := newEar()
	err := s.run(told, c, p)
	if ended := told.close(); ended != nil {
		return ended // which also explains err
	}
	return err
}

func (s *Store) run(told *ear, c Creation, p Program) error {
	c.Owner = process.Identity{}
	c.marks = mark.Inside(os.Environ())
	p.marks = c.marks
	// Held before the runtime can be seen, so that both witnesses know of its owner
	// from the first moment on.
	var lease *os.File
	var stage string
	c.spare = func() {
		lease.Close() // an error for none, and for one that is closed
		p.spare()
	}
	r, before, err := s.place(told, c, func(dir string) (err error) {
		stage = dir
		lease, err = holdLease(dir)
		return err
	})
	if err != nil {
		return err
	}
	// Opened now, because undo must work when no descriptor is left.
	lock, err := r.openLock()
	if err == nil {
		err = r.become(told, lease, p)
	}
	c.spare()
	_ = erase.All(stage) // what a runtime that is run again has not taken from it
	if lock == nil {
		lock, _ = r.openLock()
	}
	switch {
	case lock != nil:
		defer lock.Close()
		return errors.Join(err, r.undo(lock, before, p))
	case before != nil:
		return err // the next sweep makes it idle again
	}
	return errors.Join(err, r.remove())
}

// become has the runtime watched and becomes the program.
func (r *Runtime) become(told *ear, lease *os.File, p Program) error {
	if err := r.beWatched(told, p); err != nil {
		return err
	}
	defer told.open() // reached only where exec fails
	return r.exec(told, lease, p)
}
