package kernel

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("The rest between two batches of events", Label("linux"), func() {
	const privileged, unprivileged = 64 << 20, 416 << 10 // bytes of buffer
	// rests are the rests after some batches of strangers' events.
	rests := func(p *pace, batches, events int, growing bool) (rests []time.Duration) {
		for range batches {
			p.take(events, false, false)
			rests = append(rests, p.next(growing && p.settled()))
		}
		return rests
	}

	It("grows up to its bound while nothing concerns the watched processes", func() {
		p := newPace(privileged, 2)
		const ms = time.Millisecond
		Expect(rests(&p, 10, 3, true)).To(Equal([]time.Duration{2 * ms, 2 * ms, 2 * ms, 4 * ms, 8 * ms, 16 * ms, 32 * ms, 64 * ms, 64 * ms, 64 * ms}))
	})

	It("is short again as soon as an event concerns them", func() {
		p := newPace(privileged, 2)
		rests(&p, 10, 3, true)
		p.take(1, true, false)
		Expect(p.next(p.settled())).To(Equal(breather))
		Expect(rests(&p, 3, 3, true)).To(HaveEach(breather))
	})

	It("stays short while the end of one of them would not be known", func() {
		p := newPace(privileged, 2)
		Expect(rests(&p, 10, 3, false)).To(HaveEach(breather))
	})

	It("stays short where the buffer holds little for the processors that can fill it", func() {
		few, many := newPace(unprivileged, 2), newPace(unprivileged, 64)
		Expect(few.longest).To(BeNumerically("~", 5*time.Millisecond, time.Millisecond))
		Expect(many.longest).To(Equal(breather))
		Expect(rests(&many, 10, 3, true)).To(HaveEach(breather))
	})

	It("shrinks while the buffer gets too full", func() {
		p := newPace(privileged, 2)
		rests(&p, 10, 3, true)
		Expect(rests(&p, 2, p.room/2, true)).To(Equal([]time.Duration{longestRest / 2, longestRest / 4}))
	})

	It("is short after a loss, and half as long from then on at most", func() {
		p := newPace(privileged, 2)
		rests(&p, 10, 3, true)
		p.take(1, true, true)
		Expect(p.next(p.settled())).To(Equal(breather))
		Expect(rests(&p, 20, 3, true)).To(HaveEach(BeNumerically("<=", longestRest/2)))
	})
})
