//go:build darwin || linux

package standin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/gemini-monitor/gemini/internal/origin"
	"github.com/gemini-monitor/gemini/internal/sigmask"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// A StandIn waits for a child that has the place of this process at the terminal. There is one
// in a process.
type StandIn struct {
	child process.Identity
	ear   *ear
	ends  chan report

	settled <-chan time.Time // see settleTime; nil unless a stop is to be ended

	late  []notice       // signals that could not be passed on any more
	death syscall.Signal // by which the child died, or less than 0
	ended time.Time
	tstp  pairing // where the sender of a signal is not known
}

// A report is what wait(2) says of the child.
type report struct {
	status syscall.WaitStatus
	err    error
}

// Start starts a program in a child, with the environment, directory, limits, signals and
// descriptors of this process. The calling goroutine is on the first thread of the process.
// From then on this process does not end by a signal that can be caught, and has no standard
// input and output, nor another pipe or socket that it inherited. The error is that of fork
// or exec.
func Start(path string, argv []string) (*StandIn, error) {
	s := &StandIn{ear: newEar(), ends: make(chan report)}
	signals, unknown := origin.AtStart() // before os/signal is used
	s.ear.begin()
	pid, err := fork(path, argv, signals, unknown == nil)
	if err != nil {
		return nil, err
	}
	s.ear.all()
	_, _ = sigmask.Set(0) // a signal that was blocked is to be heard, and to end this process
	row, err := process.Lookup(pid)
	if err != nil {
		_ = syscall.Kill(pid, syscall.SIGKILL) // no other process has its PID before it is waited for
		_, _ = syscall.Wait4(pid, nil, 0, nil)
		return nil, err
	}
	s.child = row.Identity
	leaveStreams()
	go s.reap(pid)
	return s, nil
}

// fork starts the program, with the signals ignored and blocked that were so at the start of
// this process, if they are known.
func fork(path string, argv []string, signals *origin.Signals, known bool) (pid int, err error) {
	if known {
		defer signals.Restore()()
	}
	return syscall.ForkExec(path, argv, &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}, Sys: attributes()})
}

// Child returns the identity of the child, which may have ended.
func (s *StandIn) Child() process.Identity { return s.child }

// reap reports each stop of the child, and its end.
func (s *StandIn) reap(pid int) {
	for {
		var r report
		_, r.err = syscall.Wait4(pid, &r.status, syscall.WUNTRACED, nil)
		if errors.Is(r.err, syscall.EINTR) {
			continue
		}
		s.ends <- r
		if _, stopped := stopOf(r.status); r.err != nil || !stopped {
			return
		}
	}
}

// Wait returns when the child has ended. Until then it passes on signals, and stops and
// continues this process as the child is.
func (s *StandIn) Wait() (syscall.WaitStatus, error) {
	for {
		select {
		case n := <-s.ear.notices:
			s.relay(n)
		case <-s.settled:
			s.settled = nil
			if s.stopped() {
				_ = s.child.Signal(syscall.SIGCONT)
			}
		case r := <-s.ends:
			if r.err != nil {
				return 0, fmt.Errorf("wait for process %d: %w", s.child.PID, r.err)
			}
			by, stopped := stopOf(r.status)
			if !stopped {
				s.relayHeard()
				s.death, s.ended = r.status.Signal(), time.Now()
				return r.status, nil
			}
			if by == syscall.SIGTSTP {
				s.tstp.stopped()
			}
			// Else a SIGCONT that came before this report still counts.
			if s.stopped() && attended() {
				s.settled = nil
				stopSelf(stopSignal(by))
			}
		}
	}
}

// relayHeard does what signals ask for that came before the child's end was known: ^C was the
// child's, which may have caught it and exited.
func (s *StandIn) relayHeard() {
	for {
		select {
		case n := <-s.ear.notices:
			s.relay(n)
		default:
			return
		}
	}
}

// relay does what a signal asks for while the child lives. What finds it dead is for Rest.
func (s *StandIn) relay(n notice) {
	if n.from == anyProcess && s.sent(n.pid) {
		n.from = theChild
	}
	if n.from == unknown && n.signal == syscall.SIGTSTP && s.tstp.heard(inForeground()) {
		return
	}
	switch whileItLives(n, n.from == unknown && inForeground()) {
	case passOn:
		if err := s.child.Signal(n.signal); errors.Is(err, process.ErrGone) {
			s.late = append(s.late, n)
		}
	case goOn:
		if s.stopped() {
			s.settled = time.After(settleTime)
		}
	}
}

// settleTime is how long after SIGCONT the child must stay as it is before it is taken for
// stopped by what came before. One that was continued with its group and has stopped again,
// by ^Z right after fg, is reported sooner.
const settleTime = 20 * time.Millisecond

// sent reports whether a process is the child, or descends from it. One that has ended is not
// known.
func (s *StandIn) sent(pid int) bool {
	if pid <= 0 {
		return false
	}
	if pid == s.child.PID {
		return true
	}
	above, _ := process.Ancestors(pid)
	return slices.ContainsFunc(above, func(p process.Process) bool { return p.Identity == s.child })
}

// stopped reports whether the child is stopped now.
func (s *StandIn) stopped() bool {
	row, err := process.Lookup(s.child.PID)
	return err == nil && row.Identity == s.child && row.State == process.Stopped
}

// A Told is the signal that told this process to end after its child had ended.
type Told syscall.Signal

func (t Told) Error() string { return fmt.Sprintf("told to end: %v", syscall.Signal(t)) }

// Rest returns a context that ends when a signal tells this process to end; its cause is a
// [Told]. It is for the time after the child's end. The caller calls done, which waits for
// the goroutine that heeds signals.
func (s *StandIn) Rest() (ctx context.Context, done func()) {
	ctx, end := context.WithCancelCause(context.Background())
	var heeding sync.WaitGroup
	heeding.Go(func() {
		for _, n := range s.late {
			s.heed(n, end)
		}
		for {
			select {
			case <-ctx.Done():
				return
			case n := <-s.ear.notices:
				s.heed(n, end)
			}
		}
	})
	return ctx, func() {
		end(context.Canceled)
		heeding.Wait()
	}
}

// heed does what a signal asks for after the child's end.
func (s *StandIn) heed(n notice, end func(error)) {
	if isEcho(n.signal, s.death, time.Since(s.ended)) {
		return
	}
	switch afterItsEnd(n, slices.Contains(s.ear.ignored, n.signal)) {
	case stopHere:
		if attended() {
			stopSelf(n.signal)
		}
	case endHere:
		end(Told(n.signal))
	}
}

// NoCore has this process leave no core file when it ends by a signal as its child did, which
// has left one if that was wanted.
func NoCore() { noCore() }
