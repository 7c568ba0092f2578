package monitor

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/explore"
	"github.com/gemini-monitor/gemini/internal/simkernel"
)

// The programs of the catalogue that are visited in every order with a steward, and
// how many writes may fail.
var everyOrder = []struct {
	name     string
	failures int
}{
	{"the root exits", 2},
	{"the root exits and nobody waits for it", 2},
	{"a child outlives a root that nobody waits for", 1},
	{"a child is waited for", 1},
	{"a child lives on", 2},
	{"a child outlives the root", 0},
}

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
	for _, e := range everyOrder {
		c := caseNamed(e.name)
		for _, flavour := range flavoursOf(c) {
			It(fmt.Sprintf("removes never early and always at last, in every order, where forks are %v: %s", flavour, e.name), func() {
				found := explore.EveryOrder(stewarded(c, (*life).step, e.failures), flavour)
				AddReportEntry("explored", found.String(), ReportEntryVisibilityFailureOrVerbose)
				Expect(found.Failure).To(BeEmpty(), "%s", strings.Join(found.Story, "\n"))
			})
		}
	}

	for _, flavour := range simkernel.Flavours {
		It(fmt.Sprintf("does so in random orders of all programs, where forks are %v", flavour), func() {
			schedules := 0
			for _, c := range explore.Catalogue {
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
