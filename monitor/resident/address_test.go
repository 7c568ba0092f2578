package resident_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor/resident"
)

var _ = Describe("The address of metrics", func() {
	DescribeTable("is on this machine alone unless a host is named", func(text, address string) {
		Expect(resident.MetricsAddress(text)).To(Equal(address))
	},
		Entry("a port", "9100", "127.0.0.1:9100"),
		Entry("a port after a colon", ":9100", "127.0.0.1:9100"),
		Entry("any free port", "0", "127.0.0.1:0"),
		Entry("the last port", ":65535", "127.0.0.1:65535"),
		Entry("a name", "localhost:9100", "localhost:9100"),
		Entry("loopback in IPv6", "[::1]:9100", "[::1]:9100"),
		Entry("all addresses", "0.0.0.0:9100", "0.0.0.0:9100"),
		Entry("all addresses, also in IPv6", "[::]:9100", "[::]:9100"),
	)

	DescribeTable("is refused", func(text string) {
		_, err := resident.MetricsAddress(text)
		Expect(err).To(MatchError(`takes PORT or :PORT, which are on 127.0.0.1, or HOST:PORT, not "` + text + `"`))
	},
		Entry("empty", ""),
		Entry("without a port", "localhost"),
		Entry("with an empty port", "localhost:"),
		Entry("with a host that is a number alone", "127.0.0.1"),
		Entry("with the name of a port", ":http"),
		Entry("with a port that is none", ":65536"),
		Entry("with a negative port", ":-1"),
		Entry("as a URL", "http://localhost:9100"),
		Entry("in IPv6 without brackets", "::1:9100"),
	)
})
