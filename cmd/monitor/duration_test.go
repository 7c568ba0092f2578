package main

import (
	"math"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("A time in an argument", func() {
	DescribeTable("is read as timeout(1) reads it", func(text string, expected time.Duration) {
		Expect(parseSpan(text)).To(Equal(expected))
	},
		Entry("seconds", "3", 3*time.Second),
		Entry("none", "0", time.Duration(0)),
		Entry("none, with a unit", "0.0d", time.Duration(0)),
		Entry("with a unit", "3s", 3*time.Second),
		Entry("a part of a minute", "1.5m", 90*time.Second),
		Entry("hours", "2h", 2*time.Hour),
		Entry("days", "1d", 24*time.Hour),
		Entry("a point and no digit before it", ".5", 500*time.Millisecond),
		Entry("a point and no digit behind it", "2.", 2*time.Second),
		Entry("as Go writes it", "1h30m0s", 90*time.Minute),
		Entry("in milliseconds", "500ms", 500*time.Millisecond),
		Entry("shorter than can be: not none", "0.0000000000001", time.Nanosecond),
		Entry("longer than can be", "999999999999d", time.Duration(math.MaxInt64)),
		Entry("longer than a float can be", strings.Repeat("9", 400), time.Duration(math.MaxInt64)),
	)

	DescribeTable("is refused where it is none", func(text string) {
		_, err := parseSpan(text)
		Expect(err).To(MatchError(ContainSubstring("is no time such as 90, 1.5m or 2h")))
	},
		Entry("negative", "-1s"), Entry("negative, no unit", "-1"), Entry("with a plus", "+3"), Entry("with a plus and a unit", "+3s"),
		Entry("empty", ""), Entry("a unit alone", "s"), Entry("a point alone", "."), Entry("two points", "1.2.3"),
		Entry("an unknown unit", "3w"), Entry("a unit in the middle", "3s4"), Entry("a space", "3 s"),
		Entry("hexadecimal", "0x10"), Entry("an exponent", "1e3"), Entry("no number", "NaN"), Entry("infinite", "inf"),
		Entry("underscores", "1_000"), Entry("other digits", "٣"), Entry("a word", "soon"),
	)
})
