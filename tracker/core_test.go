package tracker

import (
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// everyFlavour has an entry for each thing that kernels say of forks.
var everyFlavour = []TableEntry{
	Entry("where forks are announced", process.ForksAnnounced),
	Entry("where forks are named", process.ForksNamed),
	Entry("where forks are unseen", process.ForksUnseen),
}

var _ = Describe("The verdict on a tree", func() {
	DescribeTable("is empty when the last member has gone, in whatever order", func(flavour process.Forks) {
		for _, order := range [][]int{{10, 11, 12}, {12, 11, 10}, {11, 10, 12}, {12, 10, 11}} {
			r := rehearse(flavour)
			tree := r.track(10)
			for i, pid := range order {
				Expect(verdict(tree)).To(Equal(trees.Alive))
				r.dies(pid)
				Expect(tree.Members()).To(HaveLen(len(order) - i - 1))
			}
			Expect(verdict(tree)).To(Equal(trees.Empty))
		}
	}, everyFlavour)

	DescribeTable("is empty when only zombies are left", func(flavour process.Forks) {
		r := rehearse(flavour)
		tree := r.track(10)
		for pid := 10; pid <= 12; pid++ {
			p := r.rows[pid]
			zombie(&p)
			r.rows[pid] = p
			r.posted = append(r.posted, seamNotice{PID: pid, Events: process.Exited})
		}
		r.run()
		Expect(verdict(tree)).To(Equal(trees.Empty))
	}, everyFlavour)

	It("asks more than one read before it says empty", func() {
		r := rehearse(process.ForksAnnounced)
		tree := r.track(10)
		before := r.reads
		r.beforeRead = func() {
			switch r.reads - before {
			case 1: // the row of an orphan is not filled in yet
				Expect(verdict(tree)).NotTo(Equal(trees.Empty))
			case 2:
				Expect(verdict(tree)).NotTo(Equal(trees.Empty))
				r.rows[20] = row(20, 1, 11, 5)
			}
		}
		r.dies(10, 11, 12)
		Expect(links(tree)).To(Equal(map[int]string{20: "orphan in the group of 11"}))
		Expect(verdict(tree)).To(Equal(trees.Alive))
	})

	DescribeTable("is not empty when a read that began before a death shows the dead but not the orphan", func(flavour process.Forks) {
		for torn := 1; torn <= 3; torn++ {
			r := rehearse(flavour)
			r.rows = map[int]process.Row{1: r.rows[1], 10: r.rows[10]}
			tree := r.track(10)
			changes(tree)
			before := r.reads
			r.beforeRead = func() {
				switch r.reads - before {
				case torn: // the PIDs were listed before 20 was made, the row of 10 filled after its end
					r.rows[10] = row(10, 1, 10, 0, zombie)
					r.posted = append(r.posted, seamNotice{PID: 10, Events: process.Forked | process.Exited})
				case torn + 1:
					r.rows[20] = row(20, 1, 10, 5)
				}
			}
			r.posted = append(r.posted, seamNotice{PID: 10, Events: process.Forked})
			r.run()
			if r.reads-before < torn {
				continue // it came to rest before
			}
			Expect(links(tree)).To(Equal(map[int]string{20: "orphan in the group of 10"}), "read %d", torn)
			Expect(changes(tree)).To(Equal([]string{"left 10", "joined 20"}), "read %d", torn)
		}
	}, Entry("where forks are announced", process.ForksAnnounced), Entry("where forks are unseen", process.ForksUnseen))

	It("reads nothing while nothing happens", func() {
		r := rehearse(process.ForksAnnounced)
		r.track(10)
		Expect(r.idle).To(BeTrue())
		before := r.reads
		r.happensLater(time.Hour)
		Expect(r.reads).To(Equal(before))
	})

	It("reads on a beat where forks are unseen", func() {
		r := rehearse(process.ForksUnseen)
		r.track(10)
		before, began := r.reads, r.clock
		r.run()
		Expect(r.clock.Sub(began)).To(BeNumerically(">=", 10*time.Second))
		Expect(r.reads - before).To(BeNumerically("~", 40, 2))
	})
})

// happensLater lets time pass.
func (r *rehearsal) happensLater(after time.Duration) {
	r.clock = r.clock.Add(after)
	r.run()
}

var _ = Describe("The changes of a tree", func() {
	DescribeTable("tell who joined and left, and that nobody is left", func(flavour process.Forks) {
		r := rehearse(flavour)
		tree := r.track(10)
		Expect(changes(tree)).To(ConsistOf("joined 10", "joined 11", "joined 12"))
		r.appears(row(20, 11, 11, 5))
		Expect(changes(tree)).To(Equal([]string{"joined 20"}))
		r.dies(11)
		r.dies(20, 12)
		r.dies(10)
		all := changes(tree)
		Expect(all).To(ConsistOf("left 11", "left 20", "left 12", "left 10", "emptied"))
		Expect(all[4]).To(Equal("emptied"))
		Expect(slices.Index(all, "left 10")).To(Equal(3))
		r.happensLater(time.Minute)
		Expect(changes(tree)).To(BeEmpty())
	}, everyFlavour)

	It("begin, when asked for late, with those who are alive", func() {
		r := rehearse(process.ForksAnnounced)
		tree := r.track(10)
		r.dies(11)
		Expect(changes(tree)).To(ConsistOf("joined 10", "joined 12"))
	})

	It("begin, when asked for too late, with the end", func() {
		r := rehearse(process.ForksAnnounced)
		tree := r.track(10)
		r.dies(10, 11, 12)
		Expect(changes(tree)).To(Equal([]string{"emptied"}))
	})
})
