package core

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("The budget for reading", func() {
	// reads plays reads one after the other, each as soon as the budget allows
	// and no sooner than the pause after the last one, and returns when each ended.
	reads := func(count int, took, pause time.Duration) (ends []time.Time) {
		var b budget
		now := time.Unix(1, 0)
		for range count {
			if at := b.ready(); at.After(now) {
				now = at
			}
			now = now.Add(took)
			b.charge(took, now)
			ends = append(ends, now)
			now = now.Add(pause)
		}
		return ends
	}

	It("allows the first read at once", func() {
		var b budget
		Expect(b.ready()).To(BeTemporally("<", time.Unix(0, 0)))
	})

	It("allows a few cheap ones in a row", func() {
		ends := reads(10, time.Millisecond, 0)
		Expect(ends[9].Sub(ends[0])).To(Equal(9 * time.Millisecond))
	})

	DescribeTable("spends about three percent in the long run", func(took time.Duration) {
		const count = 1000
		ends := reads(count, took, 0)
		spent := (count * took).Seconds()
		Expect(spent / ends[count-1].Sub(ends[0]).Seconds()).To(BeNumerically("~", 0.03, 0.002))
	},
		Entry("cheap reads", 100*time.Microsecond*10),
		Entry("dear reads", 50*time.Millisecond),
		Entry("reads that take a second", time.Second),
	)

	It("allows one at once after a quiet time, however dear the last ones were", func() {
		var b budget
		now := time.Unix(1, 0)
		b.charge(time.Second, now)
		Expect(b.ready().Sub(now)).To(BeNumerically(">", 30*time.Second))
		now = now.Add(2 * time.Minute)
		Expect(b.ready()).To(BeTemporally("<=", now))
	})

	It("saves up for a limited time only", func() {
		var b budget
		now := time.Unix(1, 0)
		b.charge(0, now)
		now = now.Add(24 * time.Hour)
		b.charge(savings+time.Millisecond, now)
		Expect(b.ready().Sub(now)).To(BeNumerically("~", share*time.Millisecond, time.Millisecond))
	})

	It("spends nothing it has not when pauses pay for the reads", func() {
		ends := reads(100, time.Millisecond, share*time.Millisecond)
		for i := range ends[1:] {
			Expect(ends[i+1].Sub(ends[i])).To(Equal((share + 1) * time.Millisecond))
		}
	})
})
