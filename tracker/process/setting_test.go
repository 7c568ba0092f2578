package process

import (
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// valuesIn scans an environment that comes in pieces of a size.
func valuesIn(environment string, size int) []string {
	scan := newSettingScan("MARK")
	for piece := range slices.Chunk([]byte(environment), size) {
		if !scan.take(piece) {
			break
		}
	}
	scan.end()
	return scan.values
}

var _ = Describe("The values of a variable in an environment", func() {
	DescribeTable("are found", func(environment string, values ...string) {
		for size := 1; size <= len(environment)+1; size++ {
			Expect(slices.Equal(valuesIn(environment, size), values)).To(BeTrue(), "in pieces of %d bytes: %q", size, valuesIn(environment, size))
		}
	},
		Entry("one", "A=1\x00MARK=x\x00B=2\x00", "x"),
		Entry("as the first and the last", "MARK=x\x00B=2\x00MARK=y\x00", "x", "y"),
		Entry("an empty one", "MARK=\x00", ""),
		Entry("with the sign and bytes of any kind in it", "MARK=a=\xff\n:\x00", "a=\xff\n:"),
		Entry("none", "A=1\x00"),
		Entry("none in an empty environment", ""),
		Entry("none in a longer or shorter name", "MARKS=x\x00MAR=x\x00AMARK=x\x00"),
		Entry("none in a value", "A=MARK=x\x00"),
		Entry("one whose end was overwritten", "A=1\x00MARK=x", "x"),
		Entry("none that is cut in its name", "MAR"),
		Entry("between zero bytes", "\x00\x00\x00MARK=x\x00\x00", "x"),
	)

	It("are found behind settings of any length, and cut where they are too long", func() {
		long := strings.Repeat("x", 200<<10)
		Expect(valuesIn("A="+long+"\x00MARK=y\x00", 32<<10)).To(Equal([]string{"y"}))
		Expect(valuesIn("MARK="+long+"\x00MARK=y\x00", 32<<10)).To(Equal([]string{long[:longestValue], "y"}))
	})

	It("are not looked for without an end", func() {
		scan := newSettingScan("MARK")
		piece := make([]byte, 1<<20)
		pieces := 0
		for scan.take(piece) {
			pieces++
		}
		Expect(pieces).To(Equal(longestEnvironment/len(piece) - 1))
	})
})

func FuzzSettings(f *testing.F) {
	f.Add("A=1\x00MARK=x\x00", 3)
	f.Add("MARK=x", 1)
	f.Fuzz(func(t *testing.T, environment string, size int) {
		var want []string
		for setting := range strings.SplitSeq(environment, "\x00") {
			if value, ok := strings.CutPrefix(setting, "MARK="); ok {
				want = append(want, value[:min(len(value), longestValue)])
			}
		}
		if found := valuesIn(environment, max(1, size%4096)); !slices.Equal(found, want) {
			t.Fatalf("%q has %q, not %q", environment, want, found)
		}
	})
}
