package conformance

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// fewExecs is how many times a process execs while it is asked.
const fewExecs = 5

var markFacts = []fact{{
	claim: "shows the environment of a process, which its children inherit and an exec keeps (X57, L61)",
	check: func(_ context.Context, s *stage) {
		parent := s.Spawn(0)
		child := s.Spawn(parent)
		for _, pid := range []int{parent, child} {
			gomega.Expect(s.marks(s.lookup(pid))).To(gomega.Equal([]string{s.Mark()}))
			s.Exec(pid)
			gomega.Expect(s.marks(s.lookup(pid))).To(gomega.Equal([]string{s.Mark()}))
		}
	},
	probe: true,
}, {
	claim: "shows the environment of an orphan (X57, L61)",
	check: func(ctx context.Context, s *stage) {
		parent := s.Spawn(0)
		orphan := s.Spawn(parent)
		s.Exit(parent)
		s.Reap(0, parent)
		s.becomesOrphan(ctx, orphan, parent)
		gomega.Expect(s.marks(s.lookup(orphan))).To(gomega.Equal([]string{s.Mark()}))
	},
	probe: true,
}, {
	claim: "shows the environment of a process that execs, or that the process is between two programs (X57, L61)",
	check: func(_ context.Context, s *stage) {
		pid := s.Spawn(0)
		row := s.lookup(pid)
		var execs atomic.Int32
		wait := s.Meanwhile(func() {
			defer execs.Store(fewExecs) // also where one fails
			for range fewExecs {
				s.Exec(pid)
				execs.Add(1)
			}
		})
		for over := false; !over; {
			over = execs.Load() >= fewExecs // before the look
			marks, err := s.marks(row)
			if over || !errors.Is(err, process.ErrBetween) {
				gomega.Expect(marks, err).To(gomega.Equal([]string{s.Mark()}))
			}
		}
		wait()
	},
	probe: true,
}, {
	claim: "shows no environment of the dead, nor of a process that has the PID of another (X57, L61)",
	check: func(ctx context.Context, s *stage) {
		pid := s.Spawn(0)
		row := s.lookup(pid)
		earlier := row
		earlier.Start--
		_, err := s.marks(earlier)
		gomega.Expect(err).To(gomega.MatchError(process.ErrGone))
		s.Exit(pid)
		s.becomes(ctx, pid, process.Zombie)
		_, err = s.marks(row)
		gomega.Expect(err).To(gomega.MatchError(process.ErrGone))
		s.Reap(0, pid)
		_, err = s.marks(row)
		gomega.Expect(err).To(gomega.MatchError(process.ErrGone))
	},
	probe: true,
}}

// marks returns the marks in the environment of a process.
func (s *stage) marks(row process.Row) ([]string, error) {
	return testproc.Insist(s.ctx, func() ([]string, error) {
		marks, _, err := s.kernel.Marks(row)
		return marks, err
	})
}

// becomesOrphan waits until a process has another parent.
func (s *stage) becomesOrphan(ctx context.Context, pid, parent int) {
	gomega.Eventually(ctx, func() int { return s.lookup(pid).Parent }).ShouldNot(gomega.Equal(parent))
}
