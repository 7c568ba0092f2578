package conformance

import (
	"context"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/tracker/process"
)

var tableFacts = []fact{{
	claim: "returns the same for a process in a read as in a look-up",
	check: func(ctx context.Context, s *stage) {
		parent := s.Spawn(0)
		child := s.Spawn(parent)
		row := s.read()[child]
		gomega.Expect(row).To(gomega.Equal(s.lookup(child)))
		gomega.Expect(row.Parent).To(gomega.Equal(parent))
		gomega.Expect(row.Start).NotTo(gomega.BeZero())
		gomega.Expect(row.Boot).NotTo(gomega.BeEmpty())
	},
}, {
	claim: "never changes an identity: by exec, in another group or session, as an orphan, as a zombie (G9)",
	check: func(ctx context.Context, s *stage) {
		parent := s.Spawn(0)
		born := s.lookup(parent).Identity
		child := s.Spawn(parent)
		childBorn := s.lookup(child).Identity
		s.Setpgid(parent)
		s.Exec(parent)
		gomega.Expect(s.lookup(parent).Identity).To(gomega.Equal(born))
		s.Exit(parent)
		s.becomes(ctx, parent, process.Zombie)
		gomega.Expect(s.lookup(parent).Identity).To(gomega.Equal(born))
		s.Setsid(child)
		s.Exec(child)
		gomega.Expect(s.lookup(child).Identity).To(gomega.Equal(childBorn))
	},
}, {
	claim: "lists each PID once, and all processes that live throughout the read, while others come and go (G10)",
	check: func(ctx context.Context, s *stage) {
		var lasting []int
		for range 6 {
			lasting = append(lasting, s.Spawn(0))
		}
		wait := s.Meanwhile(func() {
			for range 6 {
				pid := s.Spawn(0)
				s.Exit(pid)
				s.Reap(0, pid)
			}
		})
		for range 20 {
			table := s.read()
			for _, pid := range lasting {
				gomega.Expect(table).To(gomega.HaveKey(pid))
			}
		}
		wait()
	},
}, {
	claim: "hands group and session on to children, and keeps them over exec and re-parenting (G11)",
	check: func(ctx context.Context, s *stage) {
		parent := s.Spawn(0)
		s.Setsid(parent)
		child := s.Spawn(parent)
		s.Setpgid(child)
		grandchild := s.Spawn(child)
		s.Exec(grandchild)
		s.Exit(child)
		s.Exit(parent)
		s.Reap(0, parent)
		s.vanishes(ctx, child)
		orphan := s.lookup(grandchild)
		gomega.Expect(orphan.Parent).NotTo(gomega.BeElementOf(parent, child))
		gomega.Expect(orphan.Group).To(gomega.Equal(child))
		gomega.Expect(orphan.Session).To(gomega.Equal(parent))
	},
}, {
	claim: "makes the leader's PID the id of a new group or session (G8)",
	check: func(ctx context.Context, s *stage) {
		leader := s.Spawn(0)
		session := s.lookup(leader).Session
		s.Setpgid(leader)
		gomega.Expect(s.lookup(leader)).To(gomega.And(gomega.HaveField("Group", leader), gomega.HaveField("Session", session)))
		other := s.Spawn(0)
		s.Setsid(other)
		gomega.Expect(s.lookup(other)).To(gomega.And(gomega.HaveField("Group", other), gomega.HaveField("Session", other)))
	},
}, {
	claim: "does not use a PID again while it names a group (G8)",
	needs: ginkgo.Label("reuse"),
	check: func(ctx context.Context, s *stage) {
		leader := s.Spawn(0)
		s.Setpgid(leader)
		other := s.Spawn(leader)
		s.Exit(leader)
		gomega.Expect(s.tryReuse(leader)).To(gomega.BeNil(), "while it is a zombie")
		s.Reap(0, leader)
		gomega.Expect(s.tryReuse(leader)).To(gomega.BeNil(), "while its group has a member")
		gomega.Expect(s.lookup(other).Group).To(gomega.Equal(leader))
		s.Exit(other)
		s.vanishes(ctx, other)
		// Linux frees the number only when init has reaped the orphan.
		gomega.Eventually(ctx, func() func() { return s.tryReuse(leader) }).ShouldNot(gomega.BeNil(), "when all have gone")
	},
}, {
	claim: "lists a zombie with parent and group until its parent waits (G12)",
	check: func(ctx context.Context, s *stage) {
		parent := s.Spawn(0)
		zombie := s.Spawn(parent)
		s.Setpgid(zombie)
		s.Exit(zombie)
		s.becomes(ctx, zombie, process.Zombie)
		gomega.Expect(s.read()[zombie]).To(gomega.And(gomega.HaveField("Parent", parent), gomega.HaveField("Group", zombie), gomega.HaveField("State", process.Zombie)))
		s.Reap(parent, zombie)
		gomega.Expect(s.read()).NotTo(gomega.HaveKey(zombie))
	},
	probe: true,
}, {
	claim: "has a group or session inhabited until the last process in it has gone, its creator's zombie left out",
	check: func(ctx context.Context, s *stage) {
		s.read()
		creator := s.Spawn(0)
		s.Setsid(creator)
		member := s.Spawn(creator)
		gomega.Expect(s.inhabited(creator)).To(gomega.BeTrue())
		s.Exit(creator)
		s.becomes(ctx, creator, process.Zombie)
		gomega.Expect(s.inhabited(creator)).To(gomega.BeTrue())
		s.Setpgid(member)
		gomega.Expect(s.inhabited(creator)).To(gomega.BeTrue(), "the session")
		gomega.Expect(s.inhabited(member)).To(gomega.BeTrue(), "the group")
		s.Exit(member)
		s.vanishes(ctx, member)
		gomega.Expect(s.inhabited(creator, member)).To(gomega.BeFalse())
		s.Reap(0, creator)
	},
	except: map[process.Forks]exception{process.ForksAnnounced: {why: "XNU names no forks, and is never asked"}},
}, {
	claim: "has a session inhabited after its creator was reaped, and neither one inhabited by a zombie that made none",
	check: func(ctx context.Context, s *stage) {
		s.read()
		creator := s.Spawn(0)
		s.Setsid(creator)
		member := s.Spawn(creator)
		s.Setpgid(member)
		s.Exit(creator)
		s.Reap(0, creator)
		gomega.Expect(s.inhabited(creator)).To(gomega.BeTrue())
		s.Exit(member)
		s.vanishes(ctx, member)
		gomega.Expect(s.inhabited(creator, member)).To(gomega.BeFalse())
		zombie := s.Spawn(0)
		s.Exit(zombie)
		s.becomes(ctx, zombie, process.Zombie)
		gomega.Expect(s.inhabited(zombie)).To(gomega.BeFalse())
		s.Reap(0, zombie)
	},
	except: map[process.Forks]exception{process.ForksAnnounced: {why: "XNU names no forks, and is never asked"}},
}, {
	claim: "keeps no orphan as a zombie (G12)",
	check: func(ctx context.Context, s *stage) {
		parent := s.Spawn(0)
		orphan := s.Spawn(parent)
		s.Exit(parent)
		s.Reap(0, parent)
		s.Exit(orphan)
		s.vanishes(ctx, orphan)
	},
	probe: true,
}, {
	claim: "answers gone, and not an error, for a PID that no process has (G13)",
	check: func(ctx context.Context, s *stage) {
		pid := s.Spawn(0)
		s.Exit(pid)
		s.Reap(0, pid)
		s.gone(pid)
		gomega.Expect(s.read()).NotTo(gomega.HaveKey(pid))
		s.gone(-1)
	},
	probe: true,
}, {
	claim: "changes a parent only when the parent ends (G14)",
	check: func(ctx context.Context, s *stage) {
		grandparent := s.Spawn(0)
		parent := s.Spawn(grandparent)
		child := s.Spawn(parent)
		s.Exec(parent)
		s.Setsid(parent)
		s.Exit(grandparent)
		s.Reap(0, grandparent)
		gomega.Expect(s.lookup(child).Parent).To(gomega.Equal(parent))
		s.Exit(parent)
		s.vanishes(ctx, parent)
		gomega.Expect(s.lookup(child).Parent).NotTo(gomega.Equal(parent))
	},
}}
