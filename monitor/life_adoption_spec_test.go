package monitor

import (
	"fmt"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/explore"
	"github.com/gemini-monitor/gemini/internal/simkernel"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// smallAdoptions are the cases of the catalogue that take no time though the monitor ends in
// them.
var smallAdoptions = []string{"the root exits", "a child lives on", "a child leaves for a group of its own (R16)"}

// An ending is how often the monitor is killed and hands over.
type ending struct{ kills, leaves int }

func (e ending) String() string {
	return fmt.Sprintf("after %d kills and %d hand-overs", e.kills, e.leaves)
}

var _ = Describe("The life of a runtime that is taken over, on the simulated kernel", Label("explore"), func() {
	for _, c := range append(slices.Clone(explore.Catalogue), failingReads, lostForAWhile) {
		for _, flavour := range flavoursOf(c) {
			for _, e := range []ending{{1, 0}, {0, 1}, {1, 1}} {
				var labels Labels
				if !slices.Contains(smallAdoptions, c.Name) || e.kills+e.leaves > 1 && c.Name != smallAdoptions[0] {
					labels = Label("long")
				}
				It(fmt.Sprintf("removes never early and always at last, %v, where forks are %v: %s", e, flavour, c.Name), labels, func() {
					found := explore.EveryOrder(mortal(stewarded(c, (*life).step, 0), e.kills, e.leaves), flavour)
					AddReportEntry("explored", found.String(), ReportEntryVisibilityFailureOrVerbose)
					if !found.TooLarge {
						Expect(found.Failure).To(BeEmpty(), "%s", strings.Join(found.Story, "\n"))
					}
				})
			}
		}
	}
})

var _ = Describe("The life of a durable runtime, on the simulated kernel", Label("explore"), func() {
	for _, name := range smallAdoptions {
		for _, flavour := range flavoursOf(caseNamed(name)) {
			It(fmt.Sprintf("makes it idle never early and always at last, where forks are %v: %s", flavour, name), func() {
				found := explore.EveryOrder(durable(mortal(stewarded(caseNamed(name), (*life).step, 0), 1, 0)), flavour)
				AddReportEntry("explored", found.String(), ReportEntryVisibilityFailureOrVerbose)
				Expect(found.Failure).To(BeEmpty(), "%s", strings.Join(found.Story, "\n"))
			})
		}
	}

	It("is caught where it is made idle though the lease is held", func() {
		i := slices.IndexFunc(mutants, func(m mutant) bool { return m.fault == "makes a durable runtime idle when the table is empty" })
		found := explore.EveryOrder(durable(stewarded(lostForAWhile, mutants[i].take, 0)), simkernel.Flavours[0])
		Expect(found.Failure).To(HaveSuffix("holds the lease"))
	})
})

// The wrong ways to take over.

// forgets is an adoption without the journal.
func forgets(_ explore.Actor, h trees.History) trees.History {
	h.Members = h.Members[:1]
	return h
}

// startsFresh is one that takes the runtime for one that is just being started.
func startsFresh(_ explore.Actor, h trees.History) trees.History {
	h.Fresh = true
	return h
}

// believesPIDs is one that does not compare start times.
func believesPIDs(a explore.Actor, h trees.History) trees.History {
	members := slices.Clone(h.Members)
	for i, id := range members {
		for _, p := range a.(*steward).run.Kernel.Listed {
			if p.PID == id.PID {
				members[i] = p.Identity()
			}
		}
	}
	h.Members = members
	return h
}

// comesEarly is one that reads the journal before the earlier monitor has given the lock
// back.
func comesEarly(a explore.Actor, h trees.History) trees.History {
	unread := a.(*steward).unread
	h.Members = slices.DeleteFunc(slices.Clone(h.Members), func(id process.Identity) bool { return slices.Contains(unread, id) })
	return h
}

var _ = Describe("A wrong way to take a runtime over", Label("explore"), func() {
	daemon := explore.Case{Name: "a daemon is known", Hole: true, Root: []simkernel.Op{
		simkernel.Fork("B", simkernel.Do(simkernel.OpDaemon), simkernel.Stay)}}
	child := explore.Case{Name: "a child has closed the lease", Root: []simkernel.Op{
		simkernel.Fork("B", simkernel.Do(simkernel.OpClose), simkernel.Stay)}}
	reused := caseNamed("the PID of the root is used again by a stranger (R8, R9)")

	type wrongWay = func(explore.Actor, trees.History) trees.History
	DescribeTable("is caught when the next monitor", func(c explore.Case, how wrongWay, e ending, writes int, what string) {
		c = mortal(stewarded(c, (*life).step, writes), e.kills, e.leaves)
		Expect(explore.EveryOrder(c, simkernel.Flavours[0]).Failure).To(BeEmpty(), "the right way")
		c.Amend = how
		found := explore.EveryOrder(c, simkernel.Flavours[0])
		Expect(found.Failure).To(ContainSubstring(what), "%s", strings.Join(found.Story, "\n"))
	},
		Entry("does not read the journal", daemon, wrongWay(forgets), ending{1, 0}, 0, "linked to a process of the journal"),
		Entry("takes the gap for a beginning", child, wrongWay(startsFresh), ending{1, 0}, 0, "B(3) lives, which is linked to a process of the journal"),
		Entry("believes PIDs", reused, wrongWay(believesPIDs), ending{1, 0}, 0, "is a member"),
		Entry("does not wait for the lock", daemon, wrongWay(comesEarly), ending{0, 1}, 1, "linked to a process of the journal"),
	)

	It("is caught when the next monitor does not ask the lease", func() {
		i := slices.IndexFunc(mutants, func(m mutant) bool { return m.fault == "trusts the table alone" })
		found := explore.EveryOrder(truthful(mortal(stewarded(lostForAWhile, mutants[i].take, 0), 1, 0)), simkernel.Flavours[0])
		Expect(found.Failure).To(HaveSuffix("holds the lease"))
	})
})
