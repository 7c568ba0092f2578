package core_test

import (
	"errors"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/internal/rehearsal"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// The cast is 10 → 11, 12 and their shell 5. The process 30 is from elsewhere: a job of the
// shell 5 in a group of its own.
var _ = Describe("A process from outside that joins a tree", func() {
	beside := func(flavour process.Forks) *rehearsal.Rehearsal {
		r := rehearsal.New(flavour)
		r.Rows[30] = rehearsal.Row(30, 5, 30, 5)
		return r
	}
	joins := func(r *rehearsal.Rehearsal, t *rehearsal.Tree, pid int, strangers ...int) error {
		var ids []process.Identity
		for _, s := range strangers {
			ids = append(ids, rehearsal.Identity(s))
		}
		err := r.Follower.Join(t.Tree, rehearsal.Identity(pid), ids)
		r.Run()
		return err
	}
	pids := func(t *rehearsal.Tree) (all []int) {
		for _, m := range t.Members() {
			all = append(all, m.PID)
		}
		slices.Sort(all)
		return all
	}

	DescribeTable("is a member by a link of its own, and keeps the tree alive", func(flavour process.Forks) {
		r := beside(flavour)
		tree := r.Track(10)
		rehearsal.Changes(tree)
		Expect(joins(r, tree, 30)).To(Succeed())
		Expect(rehearsal.Changes(tree)).To(Equal([]string{"joined 30"}))
		Expect(rehearsal.Links(tree)).To(HaveKeyWithValue(30, "joined from outside"))
		r.Dies(10, 11, 12)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Alive))
		r.Dies(30)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty))
	}, rehearsal.EveryFlavour)

	DescribeTable("has children that are members, orphans too", func(flavour process.Forks) {
		r := beside(flavour)
		tree := r.Track(10)
		Expect(joins(r, tree, 30)).To(Succeed())
		r.Appears(rehearsal.Row(31, 30, 30, 5))
		r.Dies(10, 11, 12, 30)
		Expect(rehearsal.Links(tree)).To(Equal(map[int]string{31: "child of 30"}))
		r.Rows[32] = rehearsal.Row(32, 1, 30, 5) // an orphan that no notice named
		r.Dies(31)
		Expect(rehearsal.Links(tree)).To(Equal(map[int]string{32: "orphan in the group of 30"}))
		r.Dies(32)
		r.HappensLater(core.SafetyBeat)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty))
	}, rehearsal.EveryFlavour)

	DescribeTable("loses no child that it made after it asked", func(flavour process.Forks) {
		r := beside(flavour)
		tree := r.Track(10)
		r.Rows[31] = rehearsal.Row(31, 30, 30, 5) // before it is watched
		Expect(joins(r, tree, 30)).To(Succeed())
		r.Dies(10, 11, 12, 30)
		Expect(pids(tree)).To(Equal([]int{31}))
	}, rehearsal.EveryFlavour)

	DescribeTable("leaves out what it had made before", func(flavour process.Forks) {
		r := beside(flavour)
		r.Rows[31], r.Rows[32] = rehearsal.Row(31, 30, 30, 5), rehearsal.Row(32, 5, 30, 5)
		tree := r.Track(10)
		Expect(joins(r, tree, 30, 31, 32)).To(Succeed())
		r.Appears(rehearsal.Row(33, 31, 30, 5))
		r.Follower.Recheck(tree.Tree)
		r.Run()
		r.Dies(5, 31)
		r.Follower.Recheck(tree.Tree)
		r.Run()
		Expect(pids(tree)).To(Equal([]int{10, 11, 12, 30}))
		r.Dies(10, 11, 12, 30)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty))
	}, rehearsal.EveryFlavour)

	It("takes what its shell puts into its group later for a stranger where orphans go to init alone", func() {
		r := beside(process.ForksAnnounced)
		tree := r.Track(10)
		Expect(joins(r, tree, 30)).To(Succeed())
		r.Rows[31] = rehearsal.Row(31, 5, 30, 5)
		r.Follower.Recheck(tree.Tree)
		r.Run()
		r.Dies(5)
		Expect(pids(tree)).To(Equal([]int{10, 11, 12, 30}))
	})

	DescribeTable("is a member once, however often it asks", func(flavour process.Forks) {
		r := beside(flavour)
		tree := r.Track(10)
		rehearsal.Changes(tree)
		for range 2 {
			Expect(joins(r, tree, 30)).To(Succeed())
			Expect(joins(r, tree, 11)).To(Succeed())
		}
		Expect(rehearsal.Changes(tree)).To(Equal([]string{"joined 30"}))
		Expect(rehearsal.Links(tree)).To(HaveKeyWithValue(11, "child of 10"))
		r.Dies(10, 11, 12, 30)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty))
	}, rehearsal.EveryFlavour)

	DescribeTable("is refused when the last member has ended, also where that was not found out", func(flavour process.Forks) {
		r := beside(flavour)
		tree := r.Track(10)
		for _, pid := range []int{10, 11, 12} {
			delete(r.Rows, pid)
			delete(r.Watched, pid)
			r.Posted = append(r.Posted, core.Notice{PID: pid, Events: process.Exited})
		}
		Expect(joins(r, tree, 30)).To(MatchError(core.ErrVacant))
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty))
		Expect(r.Watched).NotTo(HaveKey(30))
		Expect(joins(r, tree, 30)).To(MatchError(core.ErrVacant))
	}, rehearsal.EveryFlavour)

	DescribeTable("is refused when it has ended, or its PID is another's", func(flavour process.Forks) {
		r := beside(flavour)
		tree := r.Track(10)
		r.BeforeAdd = func(pid int) {
			if pid == 30 {
				delete(r.Rows, pid)
			}
		}
		Expect(joins(r, tree, 30)).To(MatchError(process.ErrGone))
		r.BeforeAdd = func(pid int) {
			if pid == 31 {
				r.Rows[pid] = rehearsal.Row(pid, 5, pid, 5, rehearsal.Born(5000))
			}
		}
		r.Rows[31] = rehearsal.Row(31, 5, 31, 5)
		Expect(joins(r, tree, 31)).To(MatchError(process.ErrGone))
		r.Rows[32] = rehearsal.Row(32, 5, 32, 5, rehearsal.Born(5000))
		Expect(joins(r, tree, 32)).To(MatchError(process.ErrGone))
		Expect(pids(tree)).To(Equal([]int{10, 11, 12}))
		Expect(r.Watched).NotTo(Or(HaveKey(30), HaveKey(31), HaveKey(32)))
	}, rehearsal.EveryFlavour)

	DescribeTable("that dies at once neither keeps the tree nor ends it", func(flavour process.Forks) {
		r := beside(flavour)
		tree := r.Track(10)
		Expect(r.Follower.Join(tree.Tree, rehearsal.Identity(30), nil)).To(Succeed())
		r.Dies(30)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Alive))
		r.Dies(10, 11, 12)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty))
	}, rehearsal.EveryFlavour)

	DescribeTable("may be a member of a tree around, and counts for both", func(flavour process.Forks) {
		r := rehearsal.New(flavour)
		r.Rows[20] = rehearsal.Row(20, 12, 12, 5) // below the one that joins
		outer := r.Track(10)
		inner := r.Track(11)
		rehearsal.Changes(inner)
		Expect(joins(r, inner, 12)).To(Succeed())
		Expect(rehearsal.Changes(inner)).To(Equal([]string{"joined 12"}))
		Expect(pids(inner)).To(Equal([]int{11, 12}))
		Expect(pids(outer)).To(Equal([]int{10, 11, 12, 20}))
		r.Appears(rehearsal.Row(21, 12, 12, 5))
		Expect(pids(inner)).To(Equal([]int{11, 12, 21}))
		r.Dies(10, 11, 20)
		Expect(rehearsal.Verdict(inner)).To(Equal(trees.Alive))
		Expect(rehearsal.Verdict(outer)).To(Equal(trees.Alive))
		r.Dies(12, 21)
		Expect(rehearsal.Verdict(inner)).To(Equal(trees.Empty))
		Expect(rehearsal.Verdict(outer)).To(Equal(trees.Empty))
	}, rehearsal.EveryFlavour)

	DescribeTable("is a member already in a tree inside", func(flavour process.Forks) {
		r := rehearsal.New(flavour)
		outer := r.Track(10)
		inner := r.Track(11)
		rehearsal.Changes(outer)
		Expect(joins(r, outer, 11)).To(Succeed())
		Expect(rehearsal.Changes(outer)).To(BeEmpty())
		Expect(pids(inner)).To(Equal([]int{11}))
	}, rehearsal.EveryFlavour)

	DescribeTable("is refused where it belongs to a tree beside", func(flavour process.Forks) {
		r := beside(flavour)
		tree, other := r.Track(10), r.Track(30)
		Expect(joins(r, tree, 30)).To(MatchError(core.ErrApart))
		Expect(pids(tree)).To(Equal([]int{10, 11, 12}))
		Expect(pids(other)).To(Equal([]int{30}))
		Expect(r.Watched).To(HaveKey(30))
		r.Dies(10, 11, 12)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty))
		Expect(rehearsal.Verdict(other)).To(Equal(trees.Alive))
	}, rehearsal.EveryFlavour)

	DescribeTable("is refused where a member of a tree beside has just made it, without a notice that names it", func(flavour process.Forks) {
		r := beside(flavour)
		tree, other := r.Track(10), r.Track(30)
		r.Rows[31] = rehearsal.Row(31, 30, 30, 5)
		Expect(joins(r, tree, 31)).To(MatchError(core.ErrApart))
		Expect(pids(tree)).To(Equal([]int{10, 11, 12}))
		Expect(pids(other)).To(Equal([]int{30, 31}))
	},
		Entry("where forks are announced", process.ForksAnnounced),
		Entry("where forks are unseen", process.ForksUnseen),
	)

	DescribeTable("joins where the table cannot be read", func(flavour process.Forks) {
		r := beside(flavour)
		tree := r.Track(10)
		r.Unreadable = errors.New("no memory")
		Expect(joins(r, tree, 30)).To(Succeed())
		r.Unreadable = nil
		r.HappensLater(core.SafetyBeat)
		Expect(pids(tree)).To(Equal([]int{10, 11, 12, 30}))
	}, rehearsal.EveryFlavour)

	DescribeTable("is known to the next tracker by its identity", func(flavour process.Forks) {
		r := beside(flavour)
		r.Rows[31] = rehearsal.Row(31, 30, 30, 5)
		tree := r.Resume(10, 11, 12, 30)
		Expect(rehearsal.Links(tree)).To(HaveKeyWithValue(31, "child of 30"))
		r.Dies(10, 11, 12, 30)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Alive))
	}, rehearsal.EveryFlavour)

	It("is refused by a tree that is not followed any more", func() {
		r := beside(process.ForksAnnounced)
		tree := r.Track(10)
		r.Drop(tree)
		Expect(joins(r, tree, 30)).To(MatchError(core.ErrVacant))
		Expect(r.Knows(30)).To(BeFalse())
	})
})
