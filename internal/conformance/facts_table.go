package conformance

import (
	"context"

	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/tracker/process"
)

var tableFacts = []fact{{
	claim: "says the same of a process in a read as in a look-up",
	check: func(ctx context.Context, s *stage) {
		parent := s.Spawn(0)
		child := s.Spawn(parent)
		row := s.read()[child]
		Expect(row).To(Equal(s.lookup(child)))
		Expect(row.Parent).To(Equal(parent))
		Expect(row.Start).NotTo(BeZero())
		Expect(row.Boot).NotTo(BeEmpty())
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
		Expect(s.lookup(parent).Identity).To(Equal(born))
		s.Exit(parent)
		s.becomes(ctx, parent, process.Zombie)
		Expect(s.lookup(parent).Identity).To(Equal(born))
		s.Setsid(child)
		s.Exec(child)
		Expect(s.lookup(child).Identity).To(Equal(childBorn))
	},
}, {
	claim: "lists each PID once and everybody who lives throughout the read, while others come and go (G10)",
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
				Expect(table).To(HaveKey(pid))
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
		Expect(orphan.Parent).NotTo(BeElementOf(parent, child))
		Expect(orphan.Group).To(Equal(child))
		Expect(orphan.Session).To(Equal(parent))
	},
}, {
	claim: "makes the leader's PID the id of a new group or session (G8)",
	check: func(ctx context.Context, s *stage) {
		leader := s.Spawn(0)
		session := s.lookup(leader).Session
		s.Setpgid(leader)
		Expect(s.lookup(leader)).To(And(HaveField("Group", leader), HaveField("Session", session)))
		other := s.Spawn(0)
		s.Setsid(other)
		Expect(s.lookup(other)).To(And(HaveField("Group", other), HaveField("Session", other)))
	},
}, {
	claim: "does not use a PID again while it names a group (G8)",
	check: func(ctx context.Context, s *stage) {
		leader := s.Spawn(0)
		s.Setpgid(leader)
		other := s.Spawn(leader)
		s.Exit(leader)
		Expect(s.tryReuse(leader)).To(BeNil(), "while it is a zombie")
		s.Reap(0, leader)
		Expect(s.tryReuse(leader)).To(BeNil(), "while its group has a member")
		Expect(s.lookup(other).Group).To(Equal(leader))
		s.Exit(other)
		s.vanishes(ctx, other)
		// Linux lets go of the number only when init has reaped the orphan.
		Eventually(ctx, func() func() { return s.tryReuse(leader) }).ShouldNot(BeNil(), "when all have gone")
	},
}, {
	claim: "lists a zombie with parent and group until its parent waits (G12)",
	check: func(ctx context.Context, s *stage) {
		parent := s.Spawn(0)
		zombie := s.Spawn(parent)
		s.Setpgid(zombie)
		s.Exit(zombie)
		s.becomes(ctx, zombie, process.Zombie)
		Expect(s.read()[zombie]).To(And(HaveField("Parent", parent), HaveField("Group", zombie), HaveField("State", process.Zombie)))
		s.Reap(parent, zombie)
		Expect(s.read()).NotTo(HaveKey(zombie))
	},
	probe: true,
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
	claim: "answers gone, and not an error, for a PID that nobody has (G13)",
	check: func(ctx context.Context, s *stage) {
		pid := s.Spawn(0)
		s.Exit(pid)
		s.Reap(0, pid)
		s.gone(pid)
		Expect(s.read()).NotTo(HaveKey(pid))
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
		Expect(s.lookup(child).Parent).To(Equal(parent))
		s.Exit(parent)
		s.vanishes(ctx, parent)
		Expect(s.lookup(child).Parent).NotTo(Equal(parent))
	},
}}
