package core_test

import (
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/internal/rehearsal"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

var _ = Describe("The verdict on a tree", func() {
	DescribeTable("is empty when the last member has gone, in whatever order", func(flavour process.Forks) {
		for _, order := range [][]int{{10, 11, 12}, {12, 11, 10}, {11, 10, 12}, {12, 10, 11}} {
			r := rehearsal.New(flavour)
			tree := r.Track(10)
			for i, pid := range order {
				Expect(rehearsal.Verdict(tree)).To(Equal(trees.Alive))
				r.Dies(pid)
				Expect(tree.Members()).To(HaveLen(len(order) - i - 1))
			}
			Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty))
		}
	}, rehearsal.EveryFlavour)

	DescribeTable("is empty when only zombies are left", func(flavour process.Forks) {
		r := rehearsal.New(flavour)
		tree := r.Track(10)
		for pid := 10; pid <= 12; pid++ {
			p := r.Rows[pid]
			rehearsal.Zombie(&p)
			r.Rows[pid] = p
			r.Posted = append(r.Posted, core.Notice{PID: pid, Events: process.Exited})
		}
		r.Run()
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty))
	}, rehearsal.EveryFlavour)

	It("asks more than one read before it says empty", func() {
		r := rehearsal.New(process.ForksAnnounced)
		tree := r.Track(10)
		before := r.Reads
		r.BeforeRead = func() {
			switch r.Reads - before {
			case 1: // the row of an orphan is not filled in yet
				Expect(rehearsal.Verdict(tree)).NotTo(Equal(trees.Empty))
			case 2:
				Expect(rehearsal.Verdict(tree)).NotTo(Equal(trees.Empty))
				r.Rows[20] = rehearsal.Row(20, 1, 11, 5)
			}
		}
		r.Dies(10, 11, 12)
		Expect(rehearsal.Links(tree)).To(Equal(map[int]string{20: "orphan in the group of 11"}))
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Alive))
	})

	DescribeTable("is not empty when a read that began before a death shows the dead but not the orphan", func(flavour process.Forks, torn int) {
		r := rehearsal.New(flavour)
		r.Rows = map[int]process.Row{1: r.Rows[1], 10: r.Rows[10]}
		tree := r.Track(10)
		rehearsal.Changes(tree)
		before := r.Reads
		r.BeforeRead = func() {
			switch r.Reads - before {
			case torn: // the PIDs were listed before 20 was made, the row of 10 filled after its end
				r.Rows[10] = rehearsal.Row(10, 1, 10, 0, rehearsal.Zombie)
				r.Posted = append(r.Posted, core.Notice{PID: 10, Events: process.Forked | process.Exited})
			case torn + 1:
				r.Rows[20] = rehearsal.Row(20, 1, 10, 5)
			}
		}
		r.Posted = append(r.Posted, core.Notice{PID: 10, Events: process.Forked})
		r.Run()
		Expect(r.Reads-before).To(BeNumerically(">", torn), "reads, of which one is torn")
		Expect(rehearsal.Links(tree)).To(Equal(map[int]string{20: "orphan in the group of 10"}))
		Expect(rehearsal.Changes(tree)).To(Equal([]string{"left 10", "joined 20"}))
	},
		// A fork that is announced is read twice, a quiet tree at every beat.
		Entry("the first read where forks are announced", process.ForksAnnounced, 1),
		Entry("the last read where forks are announced", process.ForksAnnounced, 2),
		Entry("the first read where forks are unseen", process.ForksUnseen, 1),
		Entry("the second read where forks are unseen", process.ForksUnseen, 2),
		Entry("the third read where forks are unseen", process.ForksUnseen, 3),
	)

	It("reads nothing while nothing happens", func() {
		r := rehearsal.New(process.ForksAnnounced)
		r.Track(10)
		Expect(r.Idle).To(BeTrue())
		before := r.Reads
		r.HappensLater(time.Hour)
		Expect(r.Reads).To(Equal(before))
	})

	It("reads nothing in an idle minute, and looks again after some, where forks are named", func() {
		r := rehearsal.New(process.ForksNamed)
		r.Track(10)
		before := r.Reads
		r.HappensLater(core.SafetyBeat / 2)
		Expect(core.SafetyBeat / 2).To(BeNumerically(">", time.Minute))
		Expect(r.Reads).To(Equal(before))
		r.HappensLater(core.SafetyBeat / 2)
		Expect(r.Reads).To(Equal(before + 1))
	})

	It("reads on a beat where forks are unseen", func() {
		r := rehearsal.New(process.ForksUnseen)
		r.Track(10)
		before, began := r.Reads, r.Clock
		r.Run()
		Expect(r.Clock.Sub(began)).To(BeNumerically(">=", 10*time.Second))
		Expect(r.Reads - before).To(BeNumerically("~", 40, 2))
	})
})

var _ = Describe("The changes of a tree", func() {
	DescribeTable("tell who joined and left, and that nobody is left", func(flavour process.Forks) {
		r := rehearsal.New(flavour)
		tree := r.Track(10)
		Expect(rehearsal.Changes(tree)).To(ConsistOf("joined 10", "joined 11", "joined 12"))
		r.Appears(rehearsal.Row(20, 11, 11, 5))
		Expect(rehearsal.Changes(tree)).To(Equal([]string{"joined 20"}))
		r.Dies(11)
		r.Dies(20, 12)
		r.Dies(10)
		all := rehearsal.Changes(tree)
		Expect(all).To(ConsistOf("left 11", "left 20", "left 12", "left 10", "emptied"))
		Expect(all[4]).To(Equal("emptied"))
		Expect(slices.Index(all, "left 10")).To(Equal(3))
		r.HappensLater(time.Minute)
		Expect(rehearsal.Changes(tree)).To(BeEmpty())
	}, rehearsal.EveryFlavour)

	It("begin, when asked for late, with those who are alive", func() {
		r := rehearsal.New(process.ForksAnnounced)
		tree := r.Track(10)
		r.Dies(11)
		Expect(rehearsal.Changes(tree)).To(ConsistOf("joined 10", "joined 12"))
	})

	It("begin, when asked for too late, with the end", func() {
		r := rehearsal.New(process.ForksAnnounced)
		tree := r.Track(10)
		r.Dies(10, 11, 12)
		Expect(rehearsal.Changes(tree)).To(Equal([]string{"emptied"}))
	})
})
