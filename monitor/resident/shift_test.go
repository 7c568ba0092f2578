package resident_test

import (
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor/resident"
)

var _ = Describe("A shift", func() {
	It("does its work when it begins, and once for each call after that", func() {
		var s resident.Shift
		done := make(chan struct{}, 10)
		s.Begin(func() bool { done <- struct{}{}; return false })
		Eventually(done).Should(Receive())
		for range 3 {
			s.Call()
			Eventually(done).Should(Receive())
		}
		Eventually(s.Going).Should(BeFalse())
		Expect(done).NotTo(Receive())
	})

	It("does its work once again for all calls that came meanwhile, and never twice at a time", func() {
		var s resident.Shift
		var at, times atomic.Int32
		turns, twice := make(chan struct{}), make(chan struct{}, 10)
		s.Begin(func() bool {
			if at.Add(1) > 1 {
				twice <- struct{}{}
			}
			times.Add(1)
			<-turns
			at.Add(-1)
			return false
		})
		Eventually(times.Load).Should(BeEquivalentTo(1))
		for range 5 {
			s.Call()
		}
		close(turns)
		Eventually(s.Going).Should(BeFalse())
		Expect(times.Load()).To(BeEquivalentTo(2))
		Expect(twice).NotTo(Receive())
	})

	It("does nothing when it is over", func() {
		var s resident.Shift
		var times atomic.Int32
		s.Begin(func() bool {
			times.Add(1)
			s.Call()
			return true
		})
		Eventually(s.Over).Should(BeTrue())
		s.Call()
		Expect(s.Going()).To(BeFalse())
		Expect(times.Load()).To(BeEquivalentTo(1))
	})

	It("does nothing before it has begun", func() {
		var s resident.Shift
		s.Call()
		Expect(s.Going()).To(BeFalse())
	})
})
