package tracker

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

var _ = Describe("A storm of forks", func() {
	// storm has the root of a tree fork at each read.
	storm := func(r *rehearsal, pid int) {
		r.cost = 5 * time.Millisecond
		r.beforeRead = func() { r.posted = append(r.posted, seamNotice{PID: pid, Events: process.Forked}) }
		r.posted = append(r.posted, seamNotice{PID: pid, Events: process.Forked})
	}

	It("costs a few percent of a processor", func() {
		r := rehearse(process.ForksAnnounced)
		r.track(10)
		storm(r, 10)
		before, began := r.reads, r.clock
		r.run()
		spent := time.Duration(r.reads-before) * r.cost
		Expect(spent.Seconds() / r.clock.Sub(began).Seconds()).To(BeNumerically("<", 0.05))
	})

	It("finds a tree empty between two losses of notices, also after many in a row", func() {
		r := rehearse(process.ForksNamed)
		r.rows[30] = row(30, 5, 30, 5)
		r.track(30)
		tree := r.track(10)
		r.cost = 5 * time.Millisecond
		lost := func() { r.posted = append(r.posted, seamNotice{Lost: true}) }
		many := 10 * urgentReads
		r.beforeRead = func() {
			if many--; many >= 0 {
				lost()
			}
		}
		r.whileWaiting = func(waited time.Duration) {
			if waited > 100*time.Millisecond {
				lost()
			}
		}
		lost()
		r.dies(10, 11, 12)
		Expect(verdict(tree)).To(Equal(trees.Empty))
	})

	It("costs no more while a tree waits to be found empty and notices are lost", func() {
		r := rehearse(process.ForksNamed)
		r.rows[30] = row(30, 5, 30, 5)
		r.track(30)
		tree := r.track(10)
		r.cost = 5 * time.Millisecond
		r.beforeRead = func() { r.posted = append(r.posted, seamNotice{Lost: true}) }
		r.beforeRead()
		before, began := r.reads, r.clock
		r.dies(10, 11, 12)
		spent := time.Duration(r.reads-before) * r.cost
		Expect(spent.Seconds() / r.clock.Sub(began).Seconds()).To(BeNumerically("<", 0.05))
		r.beforeRead = nil
		r.run()
		Expect(verdict(tree)).To(Equal(trees.Empty))
	})

	It("does not hold up the verdict on another tree", func() {
		r := rehearse(process.ForksAnnounced)
		r.rows[30] = row(30, 5, 30, 5)
		stormy, quiet := r.track(10), r.track(30)
		storm(r, 10)
		r.run()
		delete(r.rows, 30)
		delete(r.watched, 30)
		r.posted = append(r.posted, seamNotice{PID: 30, Events: process.Exited})
		began := r.clock
		for verdict(quiet) != trees.Empty {
			Expect(r.clock.Sub(began)).To(BeNumerically("<", 4*r.cost))
			Expect(r.follower.Step()).To(Succeed())
		}
		Expect(verdict(stormy)).To(Equal(trees.Alive))
	})
})
