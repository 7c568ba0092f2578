package resident

import (
	"context"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// takeLock takes the lock of the store, or checks the one that was passed on. A resident
// that a guard has started waits for the lock of the dead one: the guard may see the death
// before the kernel has closed all files.
func (s *server) takeLock(ctx context.Context) (err error) {
	if s.Lock != nil {
		return stillLocked(s.Store, s.Lock)
	}
	if err := s.Store.Make(); err != nil {
		return err
	}
	limited, done := context.WithTimeout(ctx, quick)
	defer done()
	for {
		if s.Lock, err = tryLock(s.Store); s.Lock != nil || err != nil {
			return err
		}
		if s.Guard.PID() == 0 || pause(limited, longBreath) != nil {
			return ErrServed
		}
	}
}

// awaitEnd waits for the end of the process that served before. Where it was killed, the
// kernel frees its locks one after the other, and the lock of the store among the first.
func (s *server) awaitEnd(ctx context.Context) {
	limited, done := context.WithTimeout(ctx, quick)
	defer done()
	for s.before != s.self {
		p, err := process.Lookup(s.before.PID)
		if err != nil || p.Identity != s.before || p.State == process.Zombie || pause(limited, breath) != nil {
			return
		}
	}
}
