package core_test

import (
	"errors"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/internal/rehearsal"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

var _ = Describe("The end of a tree, where forks are named,", func() {
	var (
		r    *rehearsal.Rehearsal
		tree *rehearsal.Tree
	)

	BeforeEach(func() {
		r = rehearsal.New(process.ForksNamed)
		tree = r.Track(10)
		r.Glances = 0
	})

	DescribeTable("is found by two glances without a read", func(meanwhile func()) {
		meanwhile()
		r.Dies(10, 11)
		before := r.Reads
		r.Dies(12)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty))
		Expect(r.Glances).To(Equal(2))
		Expect(r.Reads).To(Equal(before))
	},
		Entry("when all have gone", func() {}),
		Entry("beside strangers in the user's session", func() { r.Rows[20] = rehearsal.Row(20, 5, 20, 5) }),
	)

	It("is found by two glances when only zombies are left", func() {
		var before int
		for pid := 10; pid <= 12; pid++ {
			before = r.Reads
			p := r.Rows[pid]
			rehearsal.Zombie(&p)
			r.Rows[pid] = p
			r.Posted = append(r.Posted, core.Notice{PID: pid, Events: process.Exited})
			r.Run()
		}
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty))
		Expect(r.Reads).To(Equal(before))
	})

	DescribeTable("is not there while an orphan of which no notice came is in a group or session of it", func(glance int, row process.Row, link string) {
		r.BeforeRead = func() {
			if r.Glances == glance {
				r.Rows[row.PID] = row
			}
		}
		r.Dies(10, 11, 12)
		Expect(rehearsal.Links(tree)).To(Equal(map[int]string{row.PID: link}))
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Alive))
	},
		Entry("at the first glance", 1, rehearsal.Row(20, 1, 11, 5), "orphan in the group of 11"),
		Entry("at the second glance", 2, rehearsal.Row(20, 1, 11, 5), "orphan in the group of 11"),
		Entry("by its session alone", 1, rehearsal.Row(20, 1, 20, 12), "orphan in the session of 12"),
		Entry("with the PID of a former member", 1, rehearsal.Row(11, 1, 10, 5, rehearsal.Born(5000)), "orphan in the group of 10"),
	)

	It("takes reads beside a stranger in a group of it, whose parent lives", func() {
		r.Rows[20] = rehearsal.Row(20, 5, 10, 5)
		before := r.Reads
		r.Dies(10, 11, 12)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty))
		Expect(r.Glances).To(Equal(1))
		Expect(r.Reads).To(BeNumerically(">=", before+2))
	})

	It("takes reads after a loss of notices", func() {
		r.Posted = append(r.Posted, core.Notice{Lost: true})
		before := r.Reads
		r.Dies(10, 11, 12)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty))
		Expect(r.Reads).To(BeNumerically(">=", before+2))
	})

	It("takes reads where a glance cannot tell", func() {
		r.Hides = errors.New("hidden")
		before := r.Reads
		r.Dies(10, 11, 12)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty))
		Expect(r.Glances).To(Equal(1))
		Expect(r.Reads).To(BeNumerically(">=", before+2))
	})

	It("takes reads in a process that was a member itself and has children", func() {
		r = rehearsal.New(process.ForksNamed)
		r.Rows[20] = rehearsal.Row(20, rehearsal.OwnPID, 5, 5)
		tree = r.Resume(10, rehearsal.OwnPID)
		r.Dies(10, 11, 12)
		Expect(rehearsal.Links(tree)).To(Equal(map[int]string{20: "child of 7"}))
		delete(r.Rows, 20)
		r.Glances = 0
		r.Dies(20)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty))
		Expect(r.Glances).To(BeZero())
	})

	It("is found beside a tree that lives", func() {
		r.Rows[30] = rehearsal.Row(30, 5, 30, 5)
		other := r.Track(30)
		r.Dies(10, 11)
		before := r.Reads
		r.Glances = 0
		r.Dies(12)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty))
		Expect(rehearsal.Verdict(other)).To(Equal(trees.Alive))
		Expect(r.Glances).To(Equal(2))
		Expect(r.Reads).To(Equal(before))
	})

	DescribeTable("takes reads elsewhere", func(flavour process.Forks) {
		r = rehearsal.New(flavour)
		tree = r.Track(10)
		r.Dies(10, 11, 12)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty))
		Expect(r.Glances).To(BeZero())
	},
		Entry("where forks are announced", process.ForksAnnounced),
		Entry("where forks are unseen", process.ForksUnseen),
	)
})
