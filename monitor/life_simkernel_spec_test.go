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
)

// Where writes fail too, a case has up to eighteen times as many states: these are the
// small ones of the catalogue, and how many writes may fail.
var failures = map[string]int{
	"the root exits": 2,
	"the root exits and no process waits for it":        2,
	"a child outlives a root that no process waits for": 1,
	"a child is waited for":                             1,
	"a child lives on":                                  2,
}

// The cases that have more than 60,000 states with a steward, and where. They are
// left to the random schedules. Without a steward all of them are visited in every
// order (internal/explore).
var tooLarge = map[string][]process.Forks{
	"a daemon hides its environment for a time (R1): the hole":         {process.ForksAnnounced, process.ForksNamed},
	"a grandchild is made between a read and a watch (R3, R4)":         {process.ForksAnnounced, process.ForksNamed},
	"the same, and the survivor makes a session (R1)":                  {process.ForksAnnounced, process.ForksNamed},
	"the same, and the survivor only closes the lease (R1)":            {process.ForksAnnounced, process.ForksNamed},
	"a daemon: double fork, own session, lease closed (R1): the hole":  {process.ForksAnnounced, process.ForksNamed},
	"two forks are one notice (R5)":                                    {process.ForksAnnounced},
	"a fork in one thread and an exit in another (R6)":                 {process.ForksAnnounced},
	"the PID of a dead child is used again by a stranger (R8, R9)":     {process.ForksNamed},
	"a spawn fails (R14)":                                              {process.ForksAnnounced},
	"a stranger comes into the root's group (R16)":                     {process.ForksAnnounced},
	"an exec between two forks (R17)":                                  {process.ForksAnnounced, process.ForksNamed},
	"a session of a member's own, and its leader dies: the hole":       {process.ForksNamed},
	"a root in a group of another process":                             {process.ForksAnnounced, process.ForksNamed},
	"a debugger attaches to a child, which dies (R12)":                 {process.ForksAnnounced},
	"a debugger detaches from a child, whose parent may be dead (R13)": {process.ForksAnnounced},
	"a debugger dies and takes a child along (R13)":                    {process.ForksAnnounced},
	"the same, and makes a child and exits":                            {process.ForksAnnounced, process.ForksNamed},
	"events are lost":                                                  {process.ForksNamed},
	"events are lost, about a daemon: the hole":                        {process.ForksNamed},
	"two reads fail": {process.ForksAnnounced, process.ForksNamed, process.ForksUnseen},
}

// In these cases a process lives on, no schedule shows the tree empty, and the steward
// takes no step: they have as many states as without a steward. They are left to the
// night, which checks that they do. Those with fewer than 30,000 states are not named.
var idle = map[string][]process.Forks{
	"a hidden daemon, and init is not hidden":                    {process.ForksNamed},
	"a hidden child has a hidden child":                          {process.ForksNamed},
	"a hidden child has a hidden child, and init is not hidden":  {process.ForksNamed},
	"an event is dropped without a word":                         {process.ForksNamed},
	"two forks are one notice (R5)":                              {process.ForksNamed},
	"a fork in one thread and an exit in another (R6)":           {process.ForksNamed},
	"the same, and an orphan of the root's is in that group too": {process.ForksAnnounced},
}

// Two cases beside the catalogue: a process that the table loses and that holds the
// lease until it exits, and reads that fail.
var (
	lostForAWhile = explore.Case{Name: "a process is lost and exits", Late: true, Root: []simkernel.Op{
		simkernel.Fork("B", simkernel.Do(simkernel.OpSetsid))}}
	failingReads = explore.Case{Name: "the root exits, and two reads fail", Faults: 2}
)

// flavoursOf are the kinds of kernels on which a case differs from others.
func flavoursOf(c explore.Case) (all []simkernel.Flavour) {
	for _, f := range simkernel.Flavours {
		if c.Differs(f) {
			all = append(all, f)
		}
	}
	return all
}

var _ = Describe("The life of a runtime on the simulated kernel", Label("explore"), func() {
	for _, c := range append(slices.Concat(explore.Catalogue, explore.Guests), failingReads, lostForAWhile) {
		for _, flavour := range flavoursOf(c) {
			if slices.Contains(tooLarge[c.Name], flavour.Forks) {
				continue
			}
			var labels Labels
			isIdle := slices.Contains(idle[c.Name], flavour.Forks)
			if isIdle || c.Marked && flavour.Forks != process.ForksUnseen {
				labels = Label("long")
			}
			It(fmt.Sprintf("removes never early and always at last, in every order, where forks are %v: %s", flavour, c.Name), labels, func() {
				found := explore.EveryOrder(stewarded(c, (*life).step, failures[c.Name]), flavour)
				AddReportEntry("explored", found.String(), ReportEntryVisibilityFailureOrVerbose)
				Expect(found.Failure).To(BeEmpty(), "%s", strings.Join(found.Story, "\n"))
				if isIdle {
					Expect(found.States).To(Equal(explore.EveryOrder(c, flavour).States), "states without a steward")
				}
			})
		}
	}

	It("has exceptions for cases of the catalogue alone", func() {
		for name := range tooLarge {
			Expect(caseNamed(name).Name).To(Equal(name))
		}
		for name := range idle {
			Expect(caseNamed(name).Name).To(Equal(name))
		}
		for name := range failures {
			Expect(caseNamed(name).Name).To(Equal(name))
		}
	})

	for _, flavour := range simkernel.Flavours {
		It(fmt.Sprintf("does so in random orders of all programs, where forks are %v", flavour), func() {
			schedules := 0
			for _, c := range slices.Concat(explore.Catalogue, explore.Guests) {
				for seed := range uint64(20) {
					if !c.Differs(flavour) {
						continue
					}
					schedules++
					Expect(atRandom(stewarded(c, (*life).step, 2), flavour, seed)).To(BeEmpty(), "%s, seed %d", c.Name, seed)
				}
			}
			AddReportEntry("explored", fmt.Sprintf("%d schedules", schedules), ReportEntryVisibilityFailureOrVerbose)
		})
	}
})

var _ = Describe("A wrong life on the simulated kernel", Label("explore"), func() {
	announced := simkernel.Flavours[0]

	title := func(fault string, _ ...any) string { return fault }
	wrong := func(fault string) step {
		i := slices.IndexFunc(mutants, func(m mutant) bool { return m.fault == fault })
		Expect(i).To(BeNumerically(">=", 0), "there is no such machine")
		return mutants[i].take
	}

	DescribeTable("is caught when it", func(fault string, c explore.Case, writes int, what string) {
		found := explore.EveryOrder(stewarded(c, wrong(fault), writes), announced)
		AddReportEntry("caught", found.String(), ReportEntryVisibilityFailureOrVerbose)
		Expect(found.Failure).To(ContainSubstring(what), "%s", strings.Join(found.Story, "\n"))
	},
		Entry(title, "trusts the table alone", caseNamed("the root exits"), 0, early),
		Entry(title, "trusts the lease alone, after it was released", lostForAWhile, 0, early),
		Entry(title, "takes an answer that news have overtaken", failingReads, 0, early),
		Entry(title, "does not ask the table again after it could not be read", failingReads, 0, early),
		Entry(title, "takes a held lease for a free one", lostForAWhile, 0, early),
		Entry(title, "takes a table that cannot be read for an empty one", failingReads, 0, early),
		Entry(title, "gives up on a write that fails", caseNamed("the root exits"), 1, "gives up"),
		Entry(title, "does not write again what could not be written", caseNamed("a child lives on"), 1, "for good"),
		Entry(title, "asks the lease only where the record could be written", failingReads, 1, "never removed"),
		Entry(title, "waits for a release that was not reported", lostForAWhile, 0, "never removed"),
		Entry(title, "never looks at the table again", lostForAWhile, 0, "never removed"),
	)

	DescribeTable("is caught by the processes that live alone when it", func(fault string) {
		found := explore.EveryOrder(truthful(stewarded(lostForAWhile, wrong(fault), 0)), announced)
		Expect(found.Failure).To(HaveSuffix("holds the lease"))
	},
		Entry(title, "trusts the table alone"),
		Entry(title, "takes a held lease for a free one"),
	)
})
