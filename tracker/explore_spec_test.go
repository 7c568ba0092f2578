package tracker

import (
	"fmt"
	"os"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("in every order of the steps of kernel, processes and tracker", Label("explore"), func() {
	cases := catalogue
	if raceDetector {
		cases = catalogue[:smallCases] // "make explore" visits all of them
	}
	for _, flavour := range simFlavours {
		Context("where forks are "+flavour.String(), func() {
			for _, c := range cases {
				if !c.differs(flavour) {
					continue
				}
				It("keeps the promise: "+c.name, func() {
					report := explore(c, flavour)
					AddReportEntry("explored", report.String(), ReportEntryVisibilityFailureOrVerbose)
					Expect(report.failure).To(BeEmpty(), "%s\nto see it again: EXPLORE='%s/%s/%s' go test ./tracker -v -ginkgo.focus again",
						strings.Join(report.story, "\n"), flavour, c.name, report.replay)
					Expect(report.holes > 0).To(Equal(c.opens(flavour)), "the documented hole: %d states", report.holes)
				})
			}
		})
	}
})

// Who sets EXPLORE to what a failure says sees that schedule again, as a story.
func init() {
	text := os.Getenv("EXPLORE")
	if text == "" {
		return
	}
	It("shows a schedule again", func() {
		words := strings.Split(text, "/")
		Expect(words).To(HaveLen(3), "EXPLORE is flavour/case/choices")
		for _, flavour := range simFlavours {
			for _, c := range catalogue {
				if flavour.String() == words[0] && c.name == words[1] {
					fmt.Fprintln(GinkgoWriter, strings.Join(replay(c, flavour, decodeChoices(words[2])), "\n"))
				}
			}
		}
	})
}
