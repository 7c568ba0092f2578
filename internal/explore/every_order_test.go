package explore

import (
	"fmt"
	"os"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/simkernel"
)

var _ = Describe("in every order of the steps of kernel, processes and tracker", Label("explore"), func() {
	cases := slices.Concat(Catalogue, Guests)
	if raceDetector {
		cases = Catalogue[:smallCases] // "make explore" visits all of them
	}
	for _, flavour := range simkernel.Flavours {
		Context("where forks are "+flavour.String(), func() {
			for _, c := range cases {
				if !c.Differs(flavour) {
					continue
				}
				var labels Labels
				if c.isLong(flavour) {
					labels = Label("long")
				}
				It("keeps the promise: "+c.Name, labels, func() {
					report := EveryOrder(c, flavour)
					AddReportEntry("explored", report.String(), ReportEntryVisibilityFailureOrVerbose)
					Expect(report.Failure).To(BeEmpty(), "%s\nto see it again: EXPLORE='%s/%s/%s' go test ./internal/explore -v -ginkgo.focus again",
						strings.Join(report.Story, "\n"), flavour, c.Name, report.Replay)
					Expect(report.Holes > 0).To(Equal(c.opens(flavour)), "the documented hole: %d states", report.Holes)
				})
			}
		})
	}
})

// EXPLORE, set to what a failure prints, has that schedule played again and its story
// printed.
func init() {
	text := os.Getenv("EXPLORE")
	if text == "" {
		return
	}
	It("shows a schedule again", func() {
		words := strings.Split(text, "/")
		Expect(words).To(HaveLen(3), "EXPLORE is flavour/case/choices")
		found := false
		for _, flavour := range simkernel.Flavours {
			for _, c := range slices.Concat(Catalogue, Guests) {
				if flavour.String() == words[0] && c.Name == words[1] {
					found = true
					fmt.Fprintln(GinkgoWriter, strings.Join(Replay(c, flavour, decodeChoices(words[2])), "\n"))
				}
			}
		}
		Expect(found).To(BeTrue(), "no case %q where forks are %q", words[1], words[0])
	})
}
