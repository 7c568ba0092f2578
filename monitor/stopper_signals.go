package monitor

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// members returns the live members, this process never.
func (s *stopper) members() (all []trees.Member) {
	for _, m := range s.tree.Members() {
		if m.PID != os.Getpid() {
			all = append(all, m)
		}
	}
	return all
}

// send signals a member and keeps why that is refused.
func (s *stopper) send(m trees.Member, sig syscall.Signal) (sent bool) {
	err := s.signal(m.Identity, sig)
	switch {
	case err == nil:
		delete(s.refused, m.Identity)
	case !errors.Is(err, process.ErrGone):
		if s.refused[m.Identity] == nil {
			s.log.Warn("a member cannot be signalled", "process", m.Identity, "command", m.Command, "error", err)
		}
		s.refused[m.Identity] = err
	}
	return err == nil
}

// signal keeps what signals, so that a thousand members take no thousand descriptors of /proc.
func (s *stopper) signal(id process.Identity, sig syscall.Signal) (err error) {
	if s.by == nil {
		if s.by, err = process.OpenSender(); err != nil {
			return err
		}
	}
	return s.by.Signal(id, sig)
}

func (s *stopper) closeSender() {
	if s.by != nil {
		s.by.Close()
	}
}

// ask sends the signal that members can act upon. One that is stopped acts upon it only when
// it goes on.
func (s *stopper) ask(sig syscall.Signal) {
	for _, m := range s.members() {
		if !s.send(m, sig) || sig == syscall.SIGKILL {
			continue
		}
		if now, err := process.Lookup(m.PID); err == nil && now.Identity == m.Identity && now.State == process.Stopped {
			s.send(m, sigContinue)
		}
	}
}

// freeze stops all members that are not frozen, and returns how many these were. The owner is
// spared until it may be the one that forks: its parent, a shell for instance, would take a
// stopped owner for a job that its user has stopped.
func (s *stopper) freeze() (newly int) {
	s.passes++
	for _, m := range s.members() {
		if !s.forking && m.Identity == s.tree.Root() {
			continue
		}
		if !s.frozen[m.Identity] && s.send(m, sigStop) {
			s.frozen[m.Identity] = true
			newly++
		}
	}
	s.forking = s.forking || newly > 0 && s.passes > 1
	return newly
}

// looking is how long a look at the table may take. Where processes are born faster than the
// table can be read, those that were found meanwhile are frozen first.
const looking = 100 * time.Millisecond

// A tree without a known member is left to the life of the runtime, which has it read anew as
// long as that is needed: each look makes it unsettled, and in a storm of others reads are
// far apart.
func (s *stopper) look(ctx context.Context) {
	if len(s.members()) == 0 {
		return
	}
	limited, done := context.WithTimeout(ctx, looking)
	defer done()
	_, _ = s.tree.Check(limited) // what it found counts, also where it did not settle
}

// kill kills all members, and finds out what is left of an earlier round.
func (s *stopper) kill() {
	members := s.members()
	if s.since.IsZero() {
		s.since = time.Now()
		s.log.Info("killing what is left", "members", len(members))
	}
	for _, m := range members {
		s.send(m, syscall.SIGKILL)
	}
	switch {
	case len(members) > 0:
		s.empty = time.Time{}
	case s.empty.IsZero():
		s.empty = time.Now()
	}
	rest := s.remainder(members, time.Now())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rest = rest
	s.resting.Broadcast()
}
