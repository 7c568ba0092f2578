package monitor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gemini-monitor/gemini/tracker"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// A stopper makes the members of one runtime end, in a goroutine of its own, which begins
// with the first request. It signals members by their identity, never a group, and never the
// calling process.
type stopper struct {
	log  *slog.Logger
	told bell // a request has come, which the life does not know yet

	mu      sync.Mutex
	tree    *tracker.Tree
	over    bool          // the watching has ended
	removed bool          // it has ended with the removal of the runtime
	ended   chan struct{} // closed when the watching has ended
	ending  *Ending       // nil while nothing was asked
	sooner  chan struct{} // the grace is over earlier
	cancel  context.CancelFunc
	going   sync.WaitGroup
	rest    Remainder
	resting *sync.Cond // broadcast when rest is set, or the watching has ended

	// stays is since when the life has a reason for which the runtime stays though it is
	// empty, nil while it has none.
	stays atomic.Pointer[time.Time]

	// Of the goroutine alone.
	machine stopping
	due     *time.Timer
	frozen  map[process.Identity]bool
	refused map[process.Identity]error
	by      *process.Sender
	passes  int       // of freeze in this round
	forking bool      // a pass after the first has found a member
	since   time.Time // of the first SIGKILL
	empty   time.Time // since when no member is known, zero while one is
}

func newStopper(log *slog.Logger, tree *tracker.Tree) *stopper {
	s := &stopper{log: log, tree: tree, ended: make(chan struct{}), sooner: make(chan struct{}, 1)}
	s.resting = sync.NewCond(&s.mu)
	return s
}

// tell begins to end the members, or changes how that goes on: the first request decides on
// the signal, the earliest on the end of the grace. again is a request that an earlier monitor
// has begun to carry out. The time limit of a runtime stays the cause once it has struck.
func (s *stopper) tell(e Ending, again bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return ErrUnwatched
	}
	defer s.told.ring() // before a member can have ended
	now := time.Now()
	if s.ending != nil {
		joined := *s.ending
		if e.left(now) < joined.left(now) {
			joined.Grace = Seconds(now.Sub(joined.Asked) + e.left(now))
			select {
			case s.sooner <- struct{}{}:
			default:
			}
		}
		if e.By == CauseTimeout {
			joined.By = CauseTimeout
		}
		s.ending = &joined
		return nil
	}
	s.ending = &e
	s.log.Info("told to end", "by", e.By, "signal", signalName(e.Signal), "grace", time.Duration(e.Grace), "again", again)
	var ctx context.Context
	ctx, s.cancel = context.WithCancel(context.Background())
	first := stopEvent{kind: stopAsked, grace: e.left(now)}
	if again {
		first.kind = askedBefore
	}
	s.going.Go(func() { s.run(ctx, first, e.Signal) })
	return nil
}

// asked returns the present request, nil where there is none.
func (s *stopper) asked() *Ending {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ending
}

// end ends the goroutine, and all that wait for it.
func (s *stopper) end(removed bool) {
	s.mu.Lock()
	if !s.over {
		s.over, s.removed = true, removed
		close(s.ended)
	}
	cancel := s.cancel
	s.resting.Broadcast()
	s.mu.Unlock()
	if cancel != nil {
		cancel()
	}
	s.going.Wait()
}

// await returns when the runtime was removed, or when something is left that does not end.
func (s *stopper) await(ctx context.Context) (Remainder, error) {
	defer context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.resting.Broadcast()
	})()
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.removed:
			return Remainder{}, nil
		case s.over:
			return Remainder{}, ErrUnwatched
		case !s.rest.none():
			return s.rest, nil
		case ctx.Err() != nil:
			return Remainder{}, ctx.Err()
		}
		s.resting.Wait()
	}
}

// run carries out the acts of the machine until the watching has ended.
func (s *stopper) run(ctx context.Context, first stopEvent, sig syscall.Signal) {
	s.frozen, s.refused = make(map[process.Identity]bool), make(map[process.Identity]error)
	s.due = time.NewTimer(time.Hour)
	defer s.due.Stop()
	defer s.closeSender()
	for e := first; ctx.Err() == nil; e = s.wait(ctx) {
		for events := []stopEvent{e}; len(events) > 0 && ctx.Err() == nil; events = events[1:] {
			for _, a := range s.machine.step(events[0]) {
				if e, ok := s.carryOut(ctx, a, sig); ok {
					events = append(events, e)
				}
			}
		}
	}
}

// wait waits for the timer, or for a grace that is over earlier.
func (s *stopper) wait(ctx context.Context) stopEvent {
	select {
	case <-ctx.Done():
		return stopEvent{}
	case <-s.due.C:
		s.passes, s.forking = 0, false
		return stopEvent{kind: due}
	case <-s.sooner:
		return stopEvent{kind: stopAsked, grace: s.asked().left(time.Now())}
	}
}

func (s *stopper) carryOut(ctx context.Context, a stopAct, sig syscall.Signal) (e stopEvent, ok bool) {
	switch a.kind {
	case askMembers:
		s.look(ctx) // a member may be too young to be known
		s.ask(sig)
	case setDue:
		s.due.Reset(a.after)
	case freeze:
		return stopEvent{kind: froze, newly: s.freeze()}, true
	case lookAgain:
		s.look(ctx)
		return stopEvent{kind: looked}, true
	case kill:
		s.kill()
		s.due.Reset(a.after)
	}
	return e, false
}

// ErrUnwatched reports that the watching of a runtime has ended, and the runtime is there.
var ErrUnwatched = errors.New("is not watched any more")

// Stop has the members of the runtime end: they get a signal, and when they have had their
// grace, those that are left, and those that were born meanwhile, are killed. It returns when
// the runtime was removed or is idle, or with what is left and does not end; the runtime is
// watched on then. A call while an earlier one goes on joins that: it changes only the end of
// the grace, if it is to be over earlier. It may be called from any goroutine.
//
// The error is [ErrUnwatched], or that of ctx. Members go on ending after either.
func (w *Watching) Stop(ctx context.Context, sig syscall.Signal, grace time.Duration) (Remainder, error) {
	err := w.stopper.tell(Ending{By: CauseStop, Signal: sig, Asked: time.Now(), Grace: Seconds(grace)}, false)
	var rest Remainder
	if err == nil {
		rest, err = w.stopper.await(ctx)
	}
	if err != nil {
		return rest, w.runtime.wrap(fmt.Errorf("cannot be stopped: %w", err))
	}
	if now, gone := w.runtime.Record(); rest.Empty && (errors.Is(gone, ErrNotExist) || gone == nil && now.State == StateIdle) {
		return Remainder{}, nil // its files are being deleted
	}
	return rest, nil
}
