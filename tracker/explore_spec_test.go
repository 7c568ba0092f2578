package tracker

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("in every order of the steps of kernel, processes and tracker", Label("explore"), func() {
	for _, flavour := range []Forks{ForksAnnounced, ForksNamed, ForksUnseen} {
		Context("where forks are "+flavour.String(), func() {
			for _, c := range catalogue {
				It("keeps the promise: "+c.name, func() {
					report := explore(c, flavour)
					AddReportEntry("explored", report.String(), ReportEntryVisibilityFailureOrVerbose)
					Expect(report.failure).To(BeEmpty(), "%s\nreplay: %s", strings.Join(report.story, "\n"), report.replay)
				})
			}
		})
	}
})
