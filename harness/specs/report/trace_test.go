//go:build darwin || linux

package report_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

// drawnRight checks that speedscope draws each slice of a trace from its beginning to its
// end, within a slice that encloses it, without a complaint. It returns the number of
// slices.
func drawnRight(trace []byte) (n int) {
	GinkgoHelper()
	tracks, drawings := draw(trace)
	for track, entries := range tracks {
		d := drawings[track]
		Expect(d.complaints).To(BeEmpty())
		first := entries[0].TS // the trace is sorted
		for i, e := range entries {
			Expect(e.Dur).To(BeNumerically(">", 0))
			Expect(d.drawn[i]).To(Equal([2]float64{e.TS - first, e.TS - first + e.Dur}), "%s", e.key())
		}
		n += len(entries)
	}
	return n
}

// observed returns the trace of a stage with an observer of these events.
func observed(events []harness.Event) []byte {
	GinkgoHelper()
	_, dir := fail(func(s *harness.Stage) {
		s.Observe(harness.Observer{Events: func() []harness.Event { return events }})
	})
	return read(dir, "trace.json")
}

var _ = Describe("The trace of a report", func() {
	It("is drawn by speedscope as it was: a shell, a job and a command", func(ctx SpecContext) {
		_, dir := fail(func(s *harness.Stage) { story(ctx, s) })
		Expect(drawnRight(read(dir, "trace.json"))).To(BeNumerically(">=", 4))
	}, soon)

	It("has a slice even if nothing happened", func() {
		Expect(drawnRight(observed(nil))).To(Equal(1))
	})

	It("has slices that differ where equal ones touch", func() {
		from := later()
		var events []harness.Event
		for i := range 3 {
			at := from.Add(time.Duration(i) * time.Millisecond)
			events = append(events, harness.Event{Time: at, Took: time.Millisecond, PID: 7, Track: "watch", What: "looks"})
		}
		Expect(drawnRight(observed(events))).To(Equal(4))
	})

	It("has slices that last, where a log's clock is coarse", func() {
		at := later()
		var events []harness.Event
		for range 3 {
			events = append(events,
				harness.Event{Time: at, PID: 7, Track: "watch", What: "joined", Life: harness.Begins},
				harness.Event{Time: at, PID: 7, Track: "watch", What: "left", Life: harness.Ends})
		}
		events = append(events, harness.Event{Time: at, Took: time.Second, PID: 7, Track: "watch", What: "looks"})
		Expect(drawnRight(observed(events))).To(Equal(5))
	})

	It("has slices that nest, whatever their times", func() {
		random := rand.New(rand.NewPCG(uint64(GinkgoRandomSeed()), 0))
		from, events := later(), []harness.Event{}
		for range 10_000 {
			events = append(events, harness.Event{
				Time:  from.Add(time.Duration(random.IntN(20)) * 100 * time.Nanosecond),
				Took:  time.Duration(random.IntN(10)) * 100 * time.Nanosecond,
				PID:   7,
				Track: fmt.Sprint("watch ", random.IntN(500)),
				What:  []string{"looks", "looks: away", "sleeps"}[random.IntN(3)],
				Life:  harness.Life(random.IntN(3)),
			})
		}
		drawnRight(observed(events))
	})
})

// story makes the events of a shell, a job and a command.
func story(ctx SpecContext, s *harness.Stage) {
	sh := s.Shell(harness.Sh)
	sh.Run("echo one; echo two")
	sh.Resize(30, 100)
	s.Start("sh", "-c", "echo in the job").Wait()
	s.Run("sh", "-c", "echo out; exit 4")
}

// later returns a time after the beginning of a stage that is made now.
func later() time.Time { return time.Now().Add(time.Second) }
