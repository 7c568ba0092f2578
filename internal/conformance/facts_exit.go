package conformance

import (
	"context"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/tracker/process"
)

var exitFacts = []fact{{
	claim: "announces the end of a watched process exactly once (G2)",
	check: func(ctx context.Context, s *stage) {
		pid := s.watchedChild()
		s.Exit(pid)
		s.await(ctx, pid, process.Exited)
		s.Reap(0, pid)
		s.fence(ctx)
		gomega.Expect(s.exits(pid)).To(gomega.Equal(1))
	},
	probe: true,
}, {
	claim: "announces the end of a process that was added twice exactly once",
	check: func(ctx context.Context, s *stage) {
		pid := s.watchedChild()
		gomega.Expect(s.watch(pid)).To(gomega.Succeed())
		s.Exit(pid)
		s.await(ctx, pid, process.Exited)
		s.fence(ctx)
		gomega.Expect(s.exits(pid)).To(gomega.Equal(1))
	},
	probe: true,
}, {
	claim: "reports nothing of a process that is watched no more",
	check: func(ctx context.Context, s *stage) {
		pid := s.watchedChild()
		s.kernel.Remove(pid)
		s.Exit(pid)
		s.Reap(0, pid)
		s.fence(ctx)
		gomega.Expect(s.of(pid)).To(gomega.BeZero())
	},
	probe: true,
}, {
	claim: "does not watch a zombie (G3)",
	check: func(ctx context.Context, s *stage) {
		pid := s.Spawn(0)
		s.Exit(pid)
		s.becomes(ctx, pid, process.Zombie)
		gomega.Expect(s.watch(pid)).To(gomega.MatchError(process.ErrGone))
		s.Reap(0, pid)
		s.fence(ctx)
		gomega.Expect(s.of(pid)).To(gomega.BeZero())
	},
	except: map[process.Forks]exception{process.ForksUnseen: {pidfdZombie, func(ctx context.Context, s *stage) {
		pid := s.Spawn(0)
		s.Exit(pid)
		s.becomes(ctx, pid, process.Zombie)
		gomega.Expect(s.watch(pid)).To(gomega.Succeed())
		s.await(ctx, pid, process.Exited)
	}}},
	probe: true,
}, {
	claim: "either refuses to watch a process that ends, or announces its end (G2, G3, R4)",
	check: func(ctx context.Context, s *stage) {
		for range 8 {
			pid := s.Spawn(0)
			wait := s.Meanwhile(func() { s.Exit(pid) })
			err := s.watch(pid)
			wait()
			if err == nil {
				s.await(ctx, pid, process.Exited)
			} else {
				gomega.Expect(err).To(gomega.MatchError(process.ErrGone))
			}
			s.Reap(0, pid)
		}
	},
	probe: true,
}, {
	claim: "does not watch a process that has gone (G3)",
	check: func(ctx context.Context, s *stage) {
		pid := s.Spawn(0)
		s.Exit(pid)
		s.Reap(0, pid)
		gomega.Expect(s.watch(pid)).To(gomega.MatchError(process.ErrGone))
	},
	probe: true,
}, {
	claim: "announces an end although the dead process was reaped before the first look (G7)",
	check: func(ctx context.Context, s *stage) {
		pid := s.watchedChild()
		s.Exit(pid)
		s.Reap(0, pid)
		s.gone(pid)
		s.await(ctx, pid, process.Exited)
	},
	probe: true,
}, {
	claim: "has announced an end when the parent could wait for it, so that taking the notice does not wait",
	check: func(ctx context.Context, s *stage) {
		var pids []int
		for range 5 {
			pids = append(pids, s.watchedChild())
		}
		for _, pid := range pids {
			s.Exit(pid)
			s.Reap(0, pid)
		}
		for before := -1; before < len(s.noticed); {
			before = len(s.noticed)
			s.next(0)
		}
		for _, pid := range pids {
			gomega.Expect(s.exits(pid)).To(gomega.Equal(1))
		}
	},
	except: map[process.Forks]exception{process.ForksNamed: {why: "the connector reports an exit after the parent was woken"}},
	probe:  true,
}, {
	claim: "announces the end of the old process, not of the next one with its PID (G7, R8)",
	needs: ginkgo.Label("reuse"),
	check: func(ctx context.Context, s *stage) {
		pid := s.watchedChild()
		s.Exit(pid)
		s.Reap(0, pid)
		exit := s.another(pid)
		s.await(ctx, pid, process.Exited)
		exit()
		s.fence(ctx)
		gomega.Expect(s.exits(pid)).To(gomega.Equal(1))
	},
}, {
	claim: "watches the next process with a PID, when asked to, from the first one's end on (R8)",
	needs: ginkgo.Label("reuse"),
	check: func(ctx context.Context, s *stage) {
		pid := s.watchedChild()
		s.Exit(pid)
		s.Reap(0, pid)
		exit := s.another(pid)
		gomega.Expect(s.watch(pid)).To(gomega.Succeed())
		s.fence(ctx)
		gomega.Expect(s.exits(pid)).To(gomega.BeZero(), "the end of the old process was announced as the new one's")
		exit()
		s.await(ctx, pid, process.Exited)
	},
}}
