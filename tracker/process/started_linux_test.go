package process

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = DescribeTable("A start in ticks is a time of the wall clock", func(sinceBoot time.Duration, ticks StartTime, ago time.Duration) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	Expect(madeBefore(now, sinceBoot, ticks)).To(BeTemporally("==", now.Add(-ago)))
},
	Entry(nil, time.Hour, StartTime(0), time.Hour),
	Entry(nil, time.Hour, StartTime(359_900), time.Second),
	Entry("of 10 ms", time.Second, StartTime(1), 990*time.Millisecond),
	Entry("of a machine that has run for a century", 876_000*time.Hour, StartTime(315_360_000_000-100), time.Second),
	Entry("never after now", time.Second, StartTime(200), time.Duration(0)),
)
