package conformance

import (
	"context"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/tracker/process"
)

var forkFacts = []fact{{
	claim: "shows a child in the table as soon as its parent's fork is announced (G4)",
	check: func(ctx context.Context, s *stage) {
		parent, child := s.watchedChild(), 0
		wait := s.Meanwhile(func() { child = s.Spawn(parent) })
		s.await(ctx, parent, process.Forked)
		table := s.read()
		wait()
		gomega.Expect(table).To(gomega.HaveKey(child))
		gomega.Expect(table[child].Parent).To(gomega.Equal(parent))
	},
	except: map[process.Forks]exception{process.ForksUnseen: {why: pidfdForks}},
	probe:  true,
}, {
	claim: "shows children that were forked before the watch (G5)",
	check: func(ctx context.Context, s *stage) {
		parent := s.Spawn(0)
		child := s.Spawn(parent)
		gomega.Expect(s.watch(parent)).To(gomega.Succeed())
		table := s.read()
		gomega.Expect(table).To(gomega.HaveKey(child))
		gomega.Expect(table[child].Parent).To(gomega.Equal(parent))
	},
}, {
	claim: "merges forks, but announces them before the end (G6, R5)",
	check: func(ctx context.Context, s *stage) {
		parent := s.watchedChild()
		for range 4 {
			s.Spawn(parent)
		}
		s.Exit(parent)
		s.await(ctx, parent, process.Forked|process.Exited)
		s.fence(ctx)
		gomega.Expect(s.after(parent, process.Exited)).To(gomega.BeZero())
	},
	except: map[process.Forks]exception{process.ForksUnseen: {why: pidfdForks}},
	probe:  true,
}, {
	claim: "names every child, or none",
	check: func(ctx context.Context, s *stage) {
		parent := s.watchedChild()
		s.fence(ctx)
		s.noticed = nil // a fork from before the watch may still be announced
		children := []int{s.Spawn(parent), s.Spawn(parent), s.Spawn(parent)}
		s.await(ctx, parent, process.Forked)
		s.fence(ctx)
		var named []int
		for _, n := range s.noticed {
			if n.PID == parent && n.Events.Has(process.Forked) {
				named = append(named, n.Child)
			}
		}
		if s.kernel.Forks() == process.ForksNamed {
			gomega.Expect(named).To(gomega.Equal(children))
		} else {
			gomega.Expect(named).To(gomega.HaveEach(0))
		}
	},
	except: map[process.Forks]exception{process.ForksUnseen: {why: pidfdForks}},
}, {
	claim: "announces an exec, and goes on watching (G2, G9)",
	check: func(ctx context.Context, s *stage) {
		pid := s.watchedChild()
		before := s.lookup(pid)
		for range 3 {
			s.noticed = nil
			s.Exec(pid)
			s.await(ctx, pid, process.Execed)
		}
		gomega.Expect(s.lookup(pid).Identity).To(gomega.Equal(before.Identity))
		s.Exit(pid)
		s.await(ctx, pid, process.Exited)
	},
	except: map[process.Forks]exception{process.ForksUnseen: {pidfdForks, func(ctx context.Context, s *stage) {
		pid := s.watchedChild()
		before := s.lookup(pid)
		s.Exec(pid)
		gomega.Expect(s.lookup(pid).Identity).To(gomega.Equal(before.Identity))
		s.Exit(pid)
		s.await(ctx, pid, process.Exited)
		gomega.Expect(s.of(pid)).To(gomega.Equal(process.Exited))
	}}},
	probe: true,
}, {
	claim: "has given living children to init when it announces the end of their parent (G6)",
	check: func(ctx context.Context, s *stage) {
		parent := s.watchedChild()
		children := []int{s.Spawn(parent), s.Spawn(parent)}
		s.Exit(parent)
		s.await(ctx, parent, process.Exited)
		table := s.read()
		for _, child := range children {
			gomega.Expect(table).To(gomega.HaveKey(child))
			gomega.Expect(table[child].Parent).NotTo(gomega.Equal(parent))
			if s.kernel.Forks() == process.ForksAnnounced { // elsewhere any ancestor may adopt
				gomega.Expect(table[child].Parent).To(gomega.Equal(1))
			}
		}
	},
	probe: true,
}, {
	claim: "keeps naming the maker of a process: for zombies, orphans and after an exec, if it was asked before (X28)",
	needs: ginkgo.Label("lineage"),
	check: func(ctx context.Context, s *stage) {
		if !s.kernel.Lineage() {
			ginkgo.Skip("this kernel keeps no lineage")
		}
		mother := s.Spawn(0)
		child := s.Spawn(mother)
		made, maker := s.lookup(child).Lineage, s.lookup(mother).Lineage
		gomega.Expect(made.Parent).To(gomega.Equal(maker.Self))
		gomega.Expect(made.Self).To(gomega.BeNumerically(">", maker.Self))
		s.Exit(mother)
		s.becomes(ctx, mother, process.Zombie)
		gomega.Expect(s.lookup(mother).Lineage).To(gomega.Equal(maker))
		s.Reap(0, mother)
		gomega.Expect(s.lookup(child).Parent).To(gomega.Equal(1))
		s.Exec(child)
		gomega.Expect(s.lookup(child).Lineage).To(gomega.Equal(made))
		gomega.Expect(s.read()[child].Lineage).To(gomega.Equal(made))
	},
	probe: true,
}, {
	claim: "has reaped zombie children when it announces the end of their parent (G6)",
	check: func(ctx context.Context, s *stage) {
		parent := s.watchedChild()
		child := s.Spawn(parent)
		s.Exit(child)
		s.becomes(ctx, child, process.Zombie)
		s.Exit(parent)
		s.await(ctx, parent, process.Exited)
		gomega.Expect(s.read()).NotTo(gomega.HaveKey(child))
	},
	except: map[process.Forks]exception{process.ForksNamed: {initReaps, zombiesVanish}, process.ForksUnseen: {initReaps, zombiesVanish}},
	probe:  true,
}}

const initReaps = "on Linux init reaps them, in its own time"

func zombiesVanish(ctx context.Context, s *stage) {
	parent := s.watchedChild()
	child := s.Spawn(parent)
	s.Exit(child)
	s.becomes(ctx, child, process.Zombie)
	s.Exit(parent)
	s.vanishes(ctx, child)
}
