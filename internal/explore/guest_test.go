package explore

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/simkernel"
)

var _ = Describe("A wrong way to answer a process that asks to join a tree", Label("explore"), func() {
	for _, flavour := range simkernel.Flavours {
		It("is caught where forks are "+flavour.String()+": before the tracker counts it", func() {
			c := Guests[0]
			c.Hasty = true
			found := EveryOrder(c, flavour)
			Expect(found.Failure).To(MatchRegexp(`^found empty while X1.* lives|^X1.* lives on, was shown to belong, and is no member`), "%s", strings.Join(found.Story, "\n"))
		})
	}
})
