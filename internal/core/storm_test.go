package core_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/internal/rehearsal"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

var _ = Describe("A storm of forks", func() {
	// storm has the root of a tree fork at each read.
	storm := func(r *rehearsal.Rehearsal, pid int) {
		r.Cost = 5 * time.Millisecond
		r.BeforeRead = func() { r.Posted = append(r.Posted, core.Notice{PID: pid, Events: process.Forked}) }
		r.Posted = append(r.Posted, core.Notice{PID: pid, Events: process.Forked})
	}

	It("costs a few percent of a processor", func() {
		r := rehearsal.New(process.ForksAnnounced)
		r.Track(10)
		storm(r, 10)
		before, began := r.Reads, r.Clock
		r.Run()
		spent := time.Duration(r.Reads-before) * r.Cost
		Expect(spent.Seconds() / r.Clock.Sub(began).Seconds()).To(BeNumerically("<", 0.05))
	})

	It("finds a tree empty between two losses of notices, also after many in a row", func() {
		r := rehearsal.New(process.ForksNamed)
		r.Rows[30] = rehearsal.Row(30, 5, 30, 5)
		r.Track(30)
		tree := r.Track(10)
		r.Cost = 5 * time.Millisecond
		lost := func() { r.Posted = append(r.Posted, core.Notice{Lost: true}) }
		many := 10 * core.UrgentReads
		r.BeforeRead = func() {
			if many--; many >= 0 {
				lost()
			}
		}
		r.WhileWaiting = func(waited time.Duration) {
			if waited > 100*time.Millisecond {
				lost()
			}
		}
		lost()
		r.Dies(10, 11, 12)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty))
	})

	It("costs no more while a tree waits to be found empty and notices are lost", func() {
		r := rehearsal.New(process.ForksNamed)
		r.Rows[30] = rehearsal.Row(30, 5, 30, 5)
		r.Track(30)
		tree := r.Track(10)
		r.Cost = 5 * time.Millisecond
		r.BeforeRead = func() { r.Posted = append(r.Posted, core.Notice{Lost: true}) }
		r.BeforeRead()
		before, began := r.Reads, r.Clock
		r.Dies(10, 11, 12)
		spent := time.Duration(r.Reads-before) * r.Cost
		Expect(spent.Seconds() / r.Clock.Sub(began).Seconds()).To(BeNumerically("<", 0.05))
		r.BeforeRead = nil
		r.Run()
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty))
	})

	It("does not hold up the first read, though notices come faster than they are taken", func() {
		r := rehearsal.New(process.ForksNamed)
		pid := 100
		r.BeforeNext = func() {
			pid++
			r.Posted = append(r.Posted, core.Notice{PID: 10, Events: process.Forked, Child: pid, Found: rehearsal.Row(pid, 10, 10, 5)})
			Expect(pid).To(BeNumerically("<", 10_000), "no read begins")
		}
		_, err := r.Follower.Track(10)
		Expect(err).NotTo(HaveOccurred())
		for r.Reads == 0 {
			Expect(r.Follower.Step()).To(Succeed())
		}
	})

	It("does not hold up the verdict on another tree", func() {
		r := rehearsal.New(process.ForksAnnounced)
		r.Rows[30] = rehearsal.Row(30, 5, 30, 5)
		stormy, quiet := r.Track(10), r.Track(30)
		storm(r, 10)
		r.Run()
		delete(r.Rows, 30)
		delete(r.Watched, 30)
		r.Posted = append(r.Posted, core.Notice{PID: 30, Events: process.Exited})
		began := r.Clock
		for rehearsal.Verdict(quiet) != trees.Empty {
			Expect(r.Clock.Sub(began)).To(BeNumerically("<", 4*r.Cost))
			Expect(r.Follower.Step()).To(Succeed())
		}
		Expect(rehearsal.Verdict(stormy)).To(Equal(trees.Alive))
	})
})
