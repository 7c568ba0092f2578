package tracker

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("in every order of the steps of kernel, processes and tracker", Label("explore"), func() {
	cases := catalogue
	if raceDetector {
		cases = catalogue[:smallCases] // "make explore" visits all of them
	}
	for _, flavour := range []Forks{ForksAnnounced, ForksNamed, ForksUnseen} {
		Context("where forks are "+flavour.String(), func() {
			for _, c := range cases {
				It("keeps the promise: "+c.name, func() {
					report := explore(c, flavour)
					AddReportEntry("explored", report.String(), ReportEntryVisibilityFailureOrVerbose)
					Expect(report.failure).To(BeEmpty(), "%s\nreplay: %s", strings.Join(report.story, "\n"), report.replay)
				})
			}
		})
	}
})
