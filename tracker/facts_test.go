package tracker

import (
	"context"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// The numbers are those of the guarantees that XNU's source gives: G1 to G14,
// and of the races that it leaves: R1 to R21.
var facts = slices.Concat(exitFacts, forkFacts, tableFacts)

const (
	pidfdZombie = "Linux gives a pidfd for a zombie too; it announces the exit at once"
	pidfdForks  = "pidfds announce exits only"
)

var exitFacts = []fact{{
	claim: "announces the end of a watched process exactly once (G2)",
	check: func(ctx context.Context, s *stage) {
		pid := s.watchedChild()
		s.exit(pid)
		s.await(ctx, pid, Exited)
		s.reap(0, pid)
		s.fence(ctx)
		Expect(s.exits(pid)).To(Equal(1))
	},
	probe: true,
}, {
	claim: "announces the end of a process that was added twice exactly once",
	check: func(ctx context.Context, s *stage) {
		pid := s.watchedChild()
		Expect(s.watch(pid)).To(Succeed())
		s.exit(pid)
		s.await(ctx, pid, Exited)
		s.fence(ctx)
		Expect(s.exits(pid)).To(Equal(1))
	},
	probe: true,
}, {
	claim: "keeps silent about a process that is watched no more",
	check: func(ctx context.Context, s *stage) {
		pid := s.watchedChild()
		s.kernel.remove(pid)
		s.exit(pid)
		s.reap(0, pid)
		s.fence(ctx)
		Expect(s.of(pid)).To(BeZero())
	},
	probe: true,
}, {
	claim: "does not watch a zombie (G3)",
	check: func(ctx context.Context, s *stage) {
		pid := s.spawn(0)
		s.exit(pid)
		s.becomes(ctx, pid, Zombie)
		Expect(s.watch(pid)).To(MatchError(ErrGone))
		s.reap(0, pid)
		s.fence(ctx)
		Expect(s.of(pid)).To(BeZero())
	},
	except: map[Forks]exception{ForksUnseen: {pidfdZombie, func(ctx context.Context, s *stage) {
		pid := s.spawn(0)
		s.exit(pid)
		s.becomes(ctx, pid, Zombie)
		Expect(s.watch(pid)).To(Succeed())
		s.await(ctx, pid, Exited)
	}}},
	probe: true,
}, {
	claim: "either refuses to watch a process that ends, or announces its end (G2, G3, R4)",
	check: func(ctx context.Context, s *stage) {
		for range 8 {
			pid := s.spawn(0)
			wait := s.meanwhile(func() { s.exit(pid) })
			err := s.watch(pid)
			wait()
			if err == nil {
				s.await(ctx, pid, Exited)
			} else {
				Expect(err).To(MatchError(ErrGone))
			}
			s.reap(0, pid)
		}
	},
	probe: true,
}, {
	claim: "does not watch who has gone (G3)",
	check: func(ctx context.Context, s *stage) {
		pid := s.spawn(0)
		s.exit(pid)
		s.reap(0, pid)
		Expect(s.watch(pid)).To(MatchError(ErrGone))
	},
	probe: true,
}, {
	claim: "announces an end although the dead was reaped before anybody asked (G7)",
	check: func(ctx context.Context, s *stage) {
		pid := s.watchedChild()
		s.exit(pid)
		s.reap(0, pid)
		s.gone(pid)
		s.await(ctx, pid, Exited)
	},
	probe: true,
}, {
	claim: "has announced an end when the parent could wait for it, and says so without waiting",
	check: func(ctx context.Context, s *stage) {
		var pids []int
		for range 5 {
			pids = append(pids, s.watchedChild())
		}
		for _, pid := range pids {
			s.exit(pid)
			s.reap(0, pid)
		}
		for before := -1; before < len(s.noticed); {
			before = len(s.noticed)
			s.next(0)
		}
		for _, pid := range pids {
			Expect(s.exits(pid)).To(Equal(1))
		}
	},
	except: map[Forks]exception{ForksNamed: {why: "the connector speaks after the parent was woken"}},
	probe:  true,
}, {
	claim: "announces the end of the old process, not of the next one with its PID (G7, R8)",
	check: func(ctx context.Context, s *stage) {
		pid := s.watchedChild()
		s.exit(pid)
		s.reap(0, pid)
		exit := s.another(pid)
		s.await(ctx, pid, Exited)
		exit()
		s.fence(ctx)
		Expect(s.exits(pid)).To(Equal(1))
	},
}, {
	claim: "watches the next process with a PID, when told to, from the first one's end on (R8)",
	check: func(ctx context.Context, s *stage) {
		pid := s.watchedChild()
		s.exit(pid)
		s.reap(0, pid)
		exit := s.another(pid)
		Expect(s.watch(pid)).To(Succeed())
		s.fence(ctx)
		Expect(s.exits(pid)).To(BeZero(), "the end of the old process was announced as the new one's")
		exit()
		s.await(ctx, pid, Exited)
	},
}}

var forkFacts = []fact{{
	claim: "shows a child in the table as soon as its parent's fork is announced (G4)",
	check: func(ctx context.Context, s *stage) {
		parent, child := s.watchedChild(), 0
		wait := s.meanwhile(func() { child = s.spawn(parent) })
		s.await(ctx, parent, Forked)
		table := s.read()
		wait()
		Expect(table).To(HaveKey(child))
		Expect(table[child].Parent).To(Equal(parent))
	},
	except: map[Forks]exception{ForksUnseen: {why: pidfdForks}},
	probe:  true,
}, {
	claim: "shows children that were forked before the watch (G5)",
	check: func(ctx context.Context, s *stage) {
		parent := s.spawn(0)
		child := s.spawn(parent)
		Expect(s.watch(parent)).To(Succeed())
		table := s.read()
		Expect(table).To(HaveKey(child))
		Expect(table[child].Parent).To(Equal(parent))
	},
}, {
	claim: "merges forks, but announces them before the end (G6, R5)",
	check: func(ctx context.Context, s *stage) {
		parent := s.watchedChild()
		for range 4 {
			s.spawn(parent)
		}
		s.exit(parent)
		s.await(ctx, parent, Forked|Exited)
		s.fence(ctx)
		Expect(s.after(parent, Exited)).To(BeZero())
	},
	except: map[Forks]exception{ForksUnseen: {why: pidfdForks}},
	probe:  true,
}, {
	claim: "names every child, or none",
	check: func(ctx context.Context, s *stage) {
		parent := s.watchedChild()
		s.fence(ctx)
		s.noticed = nil // a fork from before the watch could still be told
		children := []int{s.spawn(parent), s.spawn(parent), s.spawn(parent)}
		s.await(ctx, parent, Forked)
		s.fence(ctx)
		var named []int
		for _, n := range s.noticed {
			if n.PID == parent && n.Events.Has(Forked) {
				named = append(named, n.Child)
			}
		}
		if s.kernel.forks() == ForksNamed {
			Expect(named).To(Equal(children))
		} else {
			Expect(named).To(HaveEach(0))
		}
	},
	except: map[Forks]exception{ForksUnseen: {why: pidfdForks}},
}, {
	claim: "announces an exec, and goes on watching (G2, G9)",
	check: func(ctx context.Context, s *stage) {
		pid := s.watchedChild()
		before := s.lookup(pid)
		for range 3 {
			s.noticed = nil
			s.exec(pid)
			s.await(ctx, pid, Execed)
		}
		Expect(s.lookup(pid).Identity).To(Equal(before.Identity))
		s.exit(pid)
		s.await(ctx, pid, Exited)
	},
	except: map[Forks]exception{ForksUnseen: {pidfdForks, func(ctx context.Context, s *stage) {
		pid := s.watchedChild()
		before := s.lookup(pid)
		s.exec(pid)
		Expect(s.lookup(pid).Identity).To(Equal(before.Identity))
		s.exit(pid)
		s.await(ctx, pid, Exited)
		Expect(s.of(pid)).To(Equal(Exited))
	}}},
	probe: true,
}, {
	claim: "has given living children to init when it announces the end of their parent (G6)",
	check: func(ctx context.Context, s *stage) {
		parent := s.watchedChild()
		children := []int{s.spawn(parent), s.spawn(parent)}
		s.exit(parent)
		s.await(ctx, parent, Exited)
		table := s.read()
		for _, child := range children {
			Expect(table).To(HaveKey(child))
			Expect(table[child].Parent).NotTo(Equal(parent))
			if s.kernel.forks() == ForksAnnounced { // elsewhere any ancestor may adopt
				Expect(table[child].Parent).To(Equal(1))
			}
		}
	},
	probe: true,
}, {
	claim: "keeps naming who made a process: for zombies, orphans and after an exec, if it was asked before (6.2)",
	check: func(ctx context.Context, s *stage) {
		if !s.kernel.capabilities().Lineage {
			Skip("this kernel does not say")
		}
		mother := s.spawn(0)
		child := s.spawn(mother)
		made, maker := s.lookup(child).lineage, s.lookup(mother).lineage
		Expect(made.parent).To(Equal(maker.self))
		Expect(made.self).To(BeNumerically(">", maker.self))
		s.exit(mother)
		s.becomes(ctx, mother, Zombie)
		Expect(s.lookup(mother).lineage).To(Equal(maker))
		s.reap(0, mother)
		Expect(s.lookup(child).Parent).To(Equal(1))
		s.exec(child)
		Expect(s.lookup(child).lineage).To(Equal(made))
		Expect(s.read()[child].lineage).To(Equal(made))
	},
	probe: true,
}, {
	claim: "has reaped zombie children when it announces the end of their parent (G6)",
	check: func(ctx context.Context, s *stage) {
		parent := s.watchedChild()
		child := s.spawn(parent)
		s.exit(child)
		s.becomes(ctx, child, Zombie)
		s.exit(parent)
		s.await(ctx, parent, Exited)
		Expect(s.read()).NotTo(HaveKey(child))
	},
	except: map[Forks]exception{ForksNamed: {initReaps, zombiesVanish}, ForksUnseen: {initReaps, zombiesVanish}},
	probe:  true,
}}

const initReaps = "on Linux init reaps them, in its own time"

func zombiesVanish(ctx context.Context, s *stage) {
	parent := s.watchedChild()
	child := s.spawn(parent)
	s.exit(child)
	s.becomes(ctx, child, Zombie)
	s.exit(parent)
	s.vanishes(ctx, child)
}

var tableFacts = []fact{{
	claim: "says the same of a process in a read as in a look-up",
	check: func(ctx context.Context, s *stage) {
		parent := s.spawn(0)
		child := s.spawn(parent)
		row := s.read()[child]
		Expect(row).To(Equal(s.lookup(child)))
		Expect(row.Parent).To(Equal(parent))
		Expect(row.Start).NotTo(BeZero())
		Expect(row.Boot).NotTo(BeEmpty())
	},
}, {
	claim: "never changes an identity: by exec, in another group or session, as an orphan, as a zombie (G9)",
	check: func(ctx context.Context, s *stage) {
		parent := s.spawn(0)
		born := s.lookup(parent).Identity
		child := s.spawn(parent)
		childBorn := s.lookup(child).Identity
		s.setpgid(parent)
		s.exec(parent)
		Expect(s.lookup(parent).Identity).To(Equal(born))
		s.exit(parent)
		s.becomes(ctx, parent, Zombie)
		Expect(s.lookup(parent).Identity).To(Equal(born))
		s.setsid(child)
		s.exec(child)
		Expect(s.lookup(child).Identity).To(Equal(childBorn))
	},
}, {
	claim: "lists each PID once and everybody who lives throughout the read, while others come and go (G10)",
	check: func(ctx context.Context, s *stage) {
		var lasting []int
		for range 6 {
			lasting = append(lasting, s.spawn(0))
		}
		wait := s.meanwhile(func() {
			for range 6 {
				pid := s.spawn(0)
				s.exit(pid)
				s.reap(0, pid)
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
		parent := s.spawn(0)
		s.setsid(parent)
		child := s.spawn(parent)
		s.setpgid(child)
		grandchild := s.spawn(child)
		s.exec(grandchild)
		s.exit(child)
		s.exit(parent)
		s.reap(0, parent)
		s.vanishes(ctx, child)
		orphan := s.lookup(grandchild)
		Expect(orphan.Parent).NotTo(BeElementOf(parent, child))
		Expect(orphan.Group).To(Equal(child))
		Expect(orphan.Session).To(Equal(parent))
	},
}, {
	claim: "makes the leader's PID the id of a new group or session (G8)",
	check: func(ctx context.Context, s *stage) {
		leader := s.spawn(0)
		session := s.lookup(leader).Session
		s.setpgid(leader)
		Expect(s.lookup(leader)).To(And(HaveField("Group", leader), HaveField("Session", session)))
		other := s.spawn(0)
		s.setsid(other)
		Expect(s.lookup(other)).To(And(HaveField("Group", other), HaveField("Session", other)))
	},
}, {
	claim: "does not use a PID again while it names a group (G8)",
	check: func(ctx context.Context, s *stage) {
		leader := s.spawn(0)
		s.setpgid(leader)
		other := s.spawn(leader)
		s.exit(leader)
		Expect(s.tryReuse(leader)).To(BeNil(), "while it is a zombie")
		s.reap(0, leader)
		Expect(s.tryReuse(leader)).To(BeNil(), "while its group has a member")
		Expect(s.lookup(other).Group).To(Equal(leader))
		s.exit(other)
		s.vanishes(ctx, other)
		// Linux lets go of the number only when init has reaped the orphan.
		Eventually(ctx, func() func() { return s.tryReuse(leader) }).ShouldNot(BeNil(), "when all have gone")
	},
}, {
	claim: "lists a zombie with parent and group until its parent waits (G12)",
	check: func(ctx context.Context, s *stage) {
		parent := s.spawn(0)
		zombie := s.spawn(parent)
		s.setpgid(zombie)
		s.exit(zombie)
		s.becomes(ctx, zombie, Zombie)
		Expect(s.read()[zombie]).To(And(HaveField("Parent", parent), HaveField("Group", zombie), HaveField("State", Zombie)))
		s.reap(parent, zombie)
		Expect(s.read()).NotTo(HaveKey(zombie))
	},
	probe: true,
}, {
	claim: "keeps no orphan as a zombie (G12)",
	check: func(ctx context.Context, s *stage) {
		parent := s.spawn(0)
		orphan := s.spawn(parent)
		s.exit(parent)
		s.reap(0, parent)
		s.exit(orphan)
		s.vanishes(ctx, orphan)
	},
	probe: true,
}, {
	claim: "answers gone, and not an error, for a PID that nobody has (G13)",
	check: func(ctx context.Context, s *stage) {
		pid := s.spawn(0)
		s.exit(pid)
		s.reap(0, pid)
		s.gone(pid)
		Expect(s.read()).NotTo(HaveKey(pid))
		s.gone(-1)
	},
	probe: true,
}, {
	claim: "changes a parent only when the parent ends (G14)",
	check: func(ctx context.Context, s *stage) {
		grandparent := s.spawn(0)
		parent := s.spawn(grandparent)
		child := s.spawn(parent)
		s.exec(parent)
		s.setsid(parent)
		s.exit(grandparent)
		s.reap(0, grandparent)
		Expect(s.lookup(child).Parent).To(Equal(parent))
		s.exit(parent)
		s.vanishes(ctx, parent)
		Expect(s.lookup(child).Parent).NotTo(Equal(parent))
	},
}}

// after returns what was announced of a process after an event.
func (s *stage) after(pid int, event Events) (later Events) {
	seen := false
	for _, n := range s.noticed {
		if n.PID != pid {
			continue
		}
		if seen {
			later |= n.Events
		}
		seen = seen || n.Events.Has(event)
	}
	return later
}

// another makes another process with the PID of one that has gone.
func (s *stage) another(pid int) (exit func()) {
	GinkgoHelper()
	exit = s.tryReuse(pid)
	Expect(exit).NotTo(BeNil(), "PID %d is still in use", pid)
	return exit
}

func (s *stage) tryReuse(pid int) func() {
	GinkgoHelper()
	exit, err := s.reuse(pid)
	if err != nil {
		Skip("PIDs cannot be re-used here: " + strings.TrimSpace(err.Error()))
	}
	return exit
}
