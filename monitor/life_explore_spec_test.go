package monitor

import (
	"fmt"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// A premise is what an exploration begins with: how many processes there may be,
// and how often what may fail.
type premise struct {
	name                                   string
	size, writes, removals, leases, tables int
	kills, leaves, ends, forgoes           int
	hooks, durable                         bool
	hookFailures                           int
	guests                                 int
	hasty                                  bool
	long                                   bool
}

func (p premise) stage() *stage {
	v := settle(p.size)
	v.guests = p.guests
	v.writeFailures, v.removeFailures, v.leaseFailures, v.tableFailures = p.writes, p.removals, p.leases, p.tables
	return &stage{
		world: v, kills: p.kills, leaves: p.leaves, ends: p.ends, forgoes: p.forgoes, hooks: p.hooks, hookFails: p.hookFailures,
		durable: p.durable, hasty: p.hasty,
	}
}

// labels leaves the long ones to "make explore".
func (p premise) labels() Labels {
	if p.long {
		return Label("explore")
	}
	return nil
}

var premises = []premise{
	{name: "one process and an on-empty command that fails once", size: 1, removals: 1, leases: 1, hooks: true, hookFailures: 1},
	{name: "one process and an on-empty command that fails for ever and is given up", size: 1, writes: 1, removals: 1, kills: 1, hooks: true, hookFailures: 2, forgoes: 1},
	{name: "one process of a durable runtime whose on-empty command is given up", size: 1, writes: 1, leaves: 1, hooks: true, hookFailures: 1, forgoes: 1, durable: true},
	{name: "one process, writes fail three times", size: 1, writes: 3, kills: 1},
	{name: "two processes, writes, removal and lease fail", size: 2, writes: 1, removals: 1, leases: 1, long: true},
	{name: "two processes, the monitor is killed twice", size: 2, writes: 1, kills: 2, long: true},
	{name: "two processes, the table fails", size: 2, tables: 1, leases: 1, long: true},
	{name: "three processes", size: 3},
	{name: "two processes that are told to end, the monitor is killed", size: 2, writes: 1, kills: 1, ends: 1, long: true},
	{name: "two processes and an on-empty command, the monitor is killed", size: 2, tables: 1, kills: 1, hooks: true, long: true},
	{name: "one process of a durable runtime, writes fail, the monitor is killed", size: 1, writes: 2, leases: 1, kills: 1, leaves: 1, durable: true},
	{name: "one process of a durable runtime and an on-empty command, the monitor is killed", size: 1, writes: 1, kills: 1, hooks: true, hookFailures: 1, durable: true},
	{name: "two processes of a durable runtime that are told to end, the monitor is killed", size: 2, writes: 1, kills: 1, ends: 1, durable: true, long: true},
	{name: "one process that is told to end", size: 1, writes: 1, removals: 1, leases: 1, ends: 1},
	{name: "one process, another one joins, the monitor is killed", size: 2, kills: 1, guests: 1},
	{name: "one process, another one joins, writes fail", size: 2, writes: 2, kills: 1, guests: 1, long: true},
	{name: "one process, two others join", size: 3, guests: 2, long: true},
	{name: "one process and an on-empty command, another one joins", size: 2, guests: 1, ends: 1, hooks: true, hookFailures: 1, long: true},
	{name: "one process, another one joins, the table and the lease fail", size: 2, tables: 1, leases: 1, guests: 1, long: true},
	{name: "one process, each thing fails once", size: 1, writes: 1, removals: 1, leases: 1, tables: 1, kills: 1, leaves: 1, long: true},
}

var _ = Describe("The life of a runtime, in every interleaving", func() {
	for _, p := range premises {
		It("removes never early and always at last, and keeps the books: "+p.name, p.labels(), func() {
			x, broken := everyStage((*life).step, p.stage())
			AddReportEntry("explored", fmt.Sprintf("%d stages, %d transitions", x.stages, x.transitions), ReportEntryVisibilityFailureOrVerbose)
			Expect(broken).To(BeNil(), "%v", broken)
			Expect(x.stages).To(BeNumerically(">", 100))
		})
	}
})

// A mutant is a machine with a fault.
type mutant struct {
	fault string
	take  step
	what  string // the property that does not hold
}

// after changes the acts of a step.
func after(change func(before life, l *life, e event, acts []act) []act) step {
	return func(l *life, e event) []act {
		before := *l
		return change(before, l, e, l.step(e))
	}
}

// drop leaves some acts out.
func drop(kinds ...actKind) step {
	return after(func(_ life, _ *life, _ event, acts []act) (kept []act) {
		for _, a := range acts {
			if a.kind != kinds[0] && a.kind != kinds[len(kinds)-1] {
				kept = append(kept, a)
			}
		}
		return kept
	})
}

// takeFor replaces one event by another.
func takeFor(kind, mistaken eventKind) step {
	return func(l *life, e event) []act {
		if e.kind == kind {
			e.kind = mistaken
		}
		return l.step(e)
	}
}

const early = "the witnesses did not agree"

var mutants = []mutant{
	{"trusts the table alone", after(func(_ life, l *life, _ event, acts []act) []act {
		for i, a := range acts {
			if a.kind == askLease {
				l.phase, l.lease = removing, unaskedYet
				acts[i] = act{kind: remove}
			}
		}
		return acts
	}), early},
	{"trusts the lease alone, after it was released", after(func(before life, l *life, e event, acts []act) []act {
		if before.phase == waiting && e.kind == released {
			l.phase, l.table, l.lease = asking, unaskedYet, underWay
			return []act{{kind: askLease}}
		}
		return acts
	}), early},
	{"takes an answer that news have overtaken", func(l *life, e event) []act {
		if l.lease == outdated && l.phase == asking {
			l.lease = underWay
		}
		return l.step(e)
	}, early},
	{"does not ask the table again after news", after(func(before life, l *life, e event, acts []act) []act {
		if before.phase == asking && e.kind == members {
			*l = before
		}
		return acts
	}), early},
	{"does not ask the table again after it could not be read", after(func(before life, l *life, e event, acts []act) []act {
		if before.phase == asking && e.kind == readable {
			*l = before
		}
		return acts
	}), early},
	{"takes a lease that cannot be asked for a free one", takeFor(unasked, free), early},
	{"takes a held lease for a free one", takeFor(held, free), early},
	{"takes a table that cannot be read for an empty one", takeFor(unchecked, vacant), early},
	{"removes when it has to leave", after(func(_ life, _ *life, e event, acts []act) []act {
		if e.kind == leave {
			return append([]act{{kind: remove}}, acts...)
		}
		return acts
	}), early},
	{"gives up on a write that fails", after(func(before life, l *life, e event, acts []act) []act {
		if e.kind == unrecorded || e.kind == unjournaled {
			l.phase = over
			return []act{{kind: finish, result: resultFailed}}
		}
		return acts
	}), "gives up"},
	{"does not write again what could not be written", drop(setRetry), "for good"},
	{"asks the lease only where the record could be written", after(func(before life, _ *life, _ event, acts []act) []act {
		if before.recordBehind {
			acts = slices.DeleteFunc(acts, func(a act) bool { return a.kind == askLease })
		}
		return acts
	}), "nothing happens any more"},
	{"waits for a release that was not reported", drop(setLook), "nothing happens any more"},
	{"never looks at the table again", takeFor(look, retry), "nothing happens any more"},
	{"asks again at once while the lease cannot be asked", after(func(_ life, l *life, e event, acts []act) []act {
		if e.kind == vacant && l.phase == asking {
			l.phase, l.table = checking, underWay
			return append(acts, act{kind: checkTable})
		}
		return acts
	}), "for ever"},
	{"runs the on-empty command before the lease is asked", after(func(_ life, l *life, _ event, acts []act) []act {
		for i, a := range acts {
			if a.kind == askLease && l.hook == hookDue {
				l.hook = hookRuns
				acts[i] = act{kind: runHook}
			}
		}
		return acts
	}), "though the witnesses did not agree"},
	{"forgets that the on-empty command was given up", func(l *life, e event) []act {
		if e.kind == forgone {
			return nil
		}
		return l.step(e)
	}, "nothing happens any more"},
	{"removes at once when the on-empty command is given up", after(func(_ life, l *life, e event, acts []act) []act {
		if e.kind == forgone {
			l.phase = removing
			return []act{{kind: remove}}
		}
		return acts
	}), early},
	{"writes the record again while the runtime is made idle", after(func(before life, l *life, e event, acts []act) []act {
		if e.kind == toldToEnd && before.phase == idling {
			return append(acts, act{kind: writeRecord, says: l.said})
		}
		return acts
	}), "the record does not have"},
	{"removes though the on-empty command has failed", takeFor(unhooked, hooked), "before the on-empty command has ended well"},
	{"forgets a removal that failed", takeFor(unremoved, look), "nothing happens any more"},
	{"removes a durable runtime", after(func(_ life, l *life, _ event, acts []act) []act {
		for i, a := range acts {
			if a.kind == makeIdle {
				l.phase, acts[i] = removing, act{kind: remove}
			}
		}
		return acts
	}), "removes a durable runtime"},
	{"makes a durable runtime idle when the table is empty", after(func(_ life, l *life, _ event, acts []act) []act {
		for i, a := range acts {
			if a.kind == askLease && l.durable {
				l.phase, l.lease = idling, unaskedYet
				acts[i] = act{kind: makeIdle}
			}
		}
		return acts
	}), early},
	{"makes a durable runtime idle when it has to leave", after(func(_ life, l *life, e event, acts []act) []act {
		if e.kind == leave && l.durable {
			return append([]act{{kind: makeIdle}}, acts...)
		}
		return acts
	}), early},
	{"makes a durable runtime idle in place of its on-empty command", func(l *life, e event) []act {
		if l.durable && l.hook == hookDue && e.kind == free {
			l.hook = hookDone
		}
		return l.step(e)
	}, "before the on-empty command has ended well"},
	{"takes a runtime for idle whose record could not be written", takeFor(unidled, idled), "the record does not have"},
	{"gives up on a removal that failed", after(func(before life, l *life, e event, acts []act) []act {
		if e.kind == unremoved {
			l.phase = over
			return []act{{kind: finish, result: resultFailed}}
		}
		return acts
	}), "gives up"},
}

var _ = Describe("The exploration", Label("explore"), func() {
	It("catches a driver that answers a newcomer before that is in the journal", func() {
		_, broken := everyStage((*life).step, premise{size: 2, kills: 1, guests: 1, hasty: true}.stage())
		Expect(broken).NotTo(BeNil(), "no property fails")
		Expect(broken.what).To(Equal("removes it, or makes it idle, under a process that has joined"), "%v", broken)
	})

	for _, m := range mutants {
		It("catches a machine that "+m.fault, func() {
			var broken *fault
			for _, p := range premises {
				if _, broken = everyStage(m.take, p.stage()); broken != nil {
					break
				}
			}
			Expect(broken).NotTo(BeNil(), "no property fails")
			Expect(broken.what).To(ContainSubstring(m.what), "%v", broken)
		})
	}
})
