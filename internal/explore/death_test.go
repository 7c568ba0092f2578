package explore

import (
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/simkernel"
)

// small has the cases of the catalogue that take no time though the monitor dies in them.
var small = []string{
	"the root exits",
	"the root exits and no process waits for it",
	"a child outlives a root that no process waits for",
	"a child lives on",
	"a child leaves for a group of its own (R16)",
	"the root forks while it exits (R6)",
	"the kernel reaps the children itself",
	"the PID of the root is used again by a stranger (R8, R9)",
	"a child that the root had before it was the root",
	"a daemon, and the root dies before the first read (R2): the hole",
}

// Two runtimes of one resident, whose monitor dies and takes both over.
var neighbours = []Case{
	{Name: "a root exits, and the one inside lives on", Inside: true, Root: nil, Neighbour: program{stay}},
	{Name: "a root inside makes a group and a child", Inside: true, Root: program{stay}, Neighbour: program{setpgid, fork("Y", stay)}},
	{Name: "the PID of a root is used again by the neighbour", MaxPID: 5, Root: program{exit}, Neighbour: program{fork("Y", stay), stay}},
	{Name: "a root inside leaves an orphan", Inside: true, Root: program{stay}, Neighbour: program{fork("Y", setpgid, stay)}},
	{Name: "a root inside is a daemon with the mark", Inside: true, Marked: true, Root: nil, Neighbour: program{daemonize, stay}},
	{Name: "a root inside leaves a daemon with the marks", Inside: true, Marked: true, Root: program{stay}, Neighbour: program{setpgid, fork("Y", daemonize, stay)}},
	{Name: "a root beside leaves a daemon with the mark", Marked: true, Root: program{stay}, Neighbour: program{fork("Y", daemonize, stay)}},
	{Name: "two roots exit", Long: true, Neighbour: program{exit}},
	{Name: "a root has a child, and its neighbour exits", Long: true, Root: program{fork("B", stay)}, Neighbour: program{exit}},
	{Name: "a root exits, and its neighbour has a child", Long: true, Neighbour: program{fork("Y", stay)}},
	{Name: "a neighbour has a child that leads a group", Long: true, Neighbour: program{fork("Y", setpgid, stay)}, Root: program{stay}},
	{Name: "a root inside exits first", Inside: true, Long: true, Root: program{wait}, Neighbour: program{exit}},
	{Name: "a root makes a child beside the one inside", Inside: true, Long: true, Root: program{fork("B", stay)}, Neighbour: program{exit}},
}

// visitDeaths visits every order of a case whose monitor is killed, or as many states as
// there may be.
func visitDeaths(c Case, flavour simkernel.Flavour, deaths int) {
	GinkgoHelper()
	c.Deaths = deaths
	c.Hole = c.Hole || c.Named // an orphan without a link is lost while no monitor runs
	report := EveryOrder(c, flavour)
	AddReportEntry("explored", report.String(), ReportEntryVisibilityFailureOrVerbose)
	if !report.TooLarge {
		Expect(report.Failure).To(BeEmpty(), "%s", strings.Join(report.Story, "\n"))
	}
}

// atNight are the labels of an exploration that takes long, or no labels.
func atNight(long bool) Labels {
	if long {
		return Label("long")
	}
	return nil
}

var _ = Describe("The monitor is killed at any step, and another one takes over later", Label("explore"), func() {
	for _, flavour := range simkernel.Flavours {
		Context("where forks are "+flavour.String(), func() {
			for i, c := range Catalogue {
				if !c.Differs(flavour) {
					continue
				}
				isSmall := slices.Contains(small, c.Name)
				It("keeps the promise: "+c.Name, atNight(!isSmall), func() { visitDeaths(c, flavour, 1) })
				It("keeps the promise when the next one is killed too: "+c.Name, atNight(i >= smallCases), func() { visitDeaths(c, flavour, 2) })
			}
			for _, c := range neighbours {
				It("keeps the promise to two runtimes of one monitor: "+c.Name, atNight(c.Long), func() { visitDeaths(c, flavour, 1) })
			}
		})
	}

	It("opens the hole by that where a process leaves all links behind, unless it carries the mark", func() {
		daemon := Case{Name: "a daemon", Root: program{fork("B", daemonize, stay)}, Hole: true, Deaths: 1}
		for _, flavour := range simkernel.Flavours {
			Expect(EveryOrder(daemon, flavour).Holes).To(BeNumerically(">", 0), "%v", flavour)
			marked := daemon
			marked.Marked = true
			report := EveryOrder(marked, flavour)
			Expect(report.Failure).To(BeEmpty(), "%v: %s", flavour, strings.Join(report.Story, "\n"))
			Expect(report.Holes).To(BeZero(), "%v", flavour)
		}
	})

	It("has small cases of the catalogue alone", func() {
		for _, name := range small {
			Expect(slices.ContainsFunc(Catalogue, func(c Case) bool { return c.Name == name })).To(BeTrue(), name)
		}
	})
})
