package core_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/rehearsal"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

var _ = Describe("A tree inside another", func() {
	pids := func(t *rehearsal.Tree) (all []int) {
		for _, m := range t.Members() {
			all = append(all, m.PID)
		}
		return all
	}
	treeOf := func(r *rehearsal.Rehearsal, pid int) int {
		GinkgoHelper()
		tree, ok := r.TreeOf(pid)
		Expect(ok).To(BeTrue())
		return tree.Root().PID
	}
	// family is 10 → 11 → 20 → 21 and 10 → 12.
	family := func(flavour process.Forks) *rehearsal.Rehearsal {
		r := rehearsal.New(flavour)
		r.Rows[20], r.Rows[21] = rehearsal.Row(20, 11, 11, 5), rehearsal.Row(21, 20, 11, 5)
		return r
	}

	DescribeTable("shares its members with the outer one and is nearer to them", func(flavour process.Forks) {
		r := family(flavour)
		outer := r.Track(10)
		inner := r.Track(11)
		Expect(pids(outer)).To(Equal([]int{10, 11, 12, 20, 21}))
		Expect(pids(inner)).To(Equal([]int{11, 20, 21}))
		Expect(treeOf(r, 12)).To(Equal(10))
		Expect(treeOf(r, 21)).To(Equal(11))
		r.Appears(rehearsal.Row(22, 21, 11, 5))
		Expect(treeOf(r, 22)).To(Equal(11))
		Expect(pids(outer)).To(ContainElement(22))
		r.Dies(11, 20, 21, 22)
		Expect(rehearsal.Verdict(inner)).To(Equal(trees.Empty))
		Expect(rehearsal.Verdict(outer)).To(Equal(trees.Alive))
		r.Dies(12, 10)
		Expect(rehearsal.Verdict(outer)).To(Equal(trees.Empty))
	}, rehearsal.EveryFlavour)

	DescribeTable("may be there before the outer one", func(flavour process.Forks) {
		r := family(flavour)
		inner := r.Track(11)
		outer := r.Track(10)
		Expect(pids(outer)).To(Equal([]int{10, 11, 12, 20, 21}))
		Expect(treeOf(r, 20)).To(Equal(11))
		Expect(rehearsal.Changes(outer)).To(ConsistOf("joined 10", "joined 11", "joined 12", "joined 20", "joined 21"))
		r.Dies(10, 11, 12, 20)
		Expect(rehearsal.Verdict(inner)).To(Equal(trees.Alive))
		Expect(rehearsal.Verdict(outer)).To(Equal(trees.Alive))
		r.Dies(21)
		Expect(rehearsal.Verdict(inner)).To(Equal(trees.Empty))
		Expect(rehearsal.Verdict(outer)).To(Equal(trees.Empty))
	}, rehearsal.EveryFlavour)

	DescribeTable("may come between two", func(flavour process.Forks) {
		r := family(flavour)
		outer, inner, middle := r.Track(10), r.Track(20), r.Track(11)
		Expect(pids(outer)).To(Equal([]int{10, 11, 12, 20, 21}))
		Expect(pids(middle)).To(Equal([]int{11, 20, 21}))
		Expect(pids(inner)).To(Equal([]int{20, 21}))
		r.Dies(11, 20)
		Expect(rehearsal.Verdict(middle)).To(Equal(trees.Alive))
		r.Dies(21)
		Expect(rehearsal.Verdict(middle)).To(Equal(trees.Empty))
	}, rehearsal.EveryFlavour)

	DescribeTable("may come between two although the root of the inner one is dead and forgotten", func(flavour process.Forks) {
		r := family(flavour)
		r.Rows[20] = rehearsal.Row(20, 11, 20, 5) // whose group is its own, so that no row names it later
		outer, inner := r.Track(10), r.Track(20)
		r.Dies(20)
		Expect(pids(inner)).To(Equal([]int{21}))
		middle := r.Track(11)
		Expect(pids(outer)).To(Equal([]int{10, 11, 12, 21}))
		Expect(pids(middle)).To(Equal([]int{11, 21}))
		r.Dies(11)
		Expect(rehearsal.Verdict(middle)).To(Equal(trees.Alive))
	}, rehearsal.EveryFlavour)

	DescribeTable("may have the same root", func(flavour process.Forks) {
		r := family(flavour)
		first, second := r.Track(11), r.Track(11)
		Expect(pids(first)).To(Equal([]int{11, 20, 21}))
		Expect(pids(second)).To(Equal(pids(first)))
		r.Dies(11, 20)
		r.Appears(rehearsal.Row(22, 21, 11, 5))
		Expect(pids(first)).To(Equal([]int{21, 22}))
		Expect(pids(second)).To(Equal(pids(first)))
		r.Dies(21, 22)
		Expect(rehearsal.Verdict(first)).To(Equal(trees.Empty))
		Expect(rehearsal.Verdict(second)).To(Equal(trees.Empty))
	}, rehearsal.EveryFlavour)

	It("with the same root as another may have one come around both", func() {
		r := family(process.ForksAnnounced)
		outermost, first, second := r.Track(10), r.Track(20), r.Track(20)
		around := r.Track(11)
		Expect(pids(around)).To(Equal([]int{11, 20, 21}))
		r.Dies(11)
		Expect(rehearsal.Verdict(around)).To(Equal(trees.Alive))
		r.Dies(20, 21)
		for _, tree := range []*rehearsal.Tree{around, first, second} {
			Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty))
		}
		Expect(rehearsal.Verdict(outermost)).To(Equal(trees.Alive))
	})

	DescribeTable("ends alone", func(flavour process.Forks) {
		r := family(flavour)
		outer := r.Track(10)
		inner := r.Track(11)
		r.Drop(inner)
		r.Run()
		Expect(treeOf(r, 20)).To(Equal(10))
		Expect(pids(outer)).To(Equal([]int{10, 11, 12, 20, 21}))
		r.Dies(10, 11, 12, 20)
		Expect(rehearsal.Verdict(outer)).To(Equal(trees.Alive))
		r.Dies(21)
		Expect(rehearsal.Verdict(outer)).To(Equal(trees.Empty))
	}, rehearsal.EveryFlavour)

	DescribeTable("outlives the outer one", func(flavour process.Forks) {
		r := family(flavour)
		outer := r.Track(10)
		inner := r.Track(11)
		r.Drop(outer)
		r.Run()
		_, ok := r.TreeOf(12)
		Expect(ok).To(BeFalse())
		Expect(r.Watched).To(And(Not(HaveKey(10)), HaveKey(11)))
		r.Dies(11, 20)
		Expect(rehearsal.Verdict(inner)).To(Equal(trees.Alive))
		r.Dies(21)
		Expect(rehearsal.Verdict(inner)).To(Equal(trees.Empty))
	}, rehearsal.EveryFlavour)
})

var _ = Describe("A tree that was ended", func() {
	It("may be begun again at once, and is watched", func() {
		r := rehearsal.New(process.ForksAnnounced)
		first := r.Track(10)
		r.Drop(first)
		second := r.Track(10) // before the tracker has stopped to watch
		Expect(r.Watched).To(HaveKey(10))
		r.Dies(10, 11, 12)
		Expect(rehearsal.Verdict(second)).To(Equal(trees.Empty))
	})
})

var _ = Describe("A tree that is resumed", func() {
	DescribeTable("has the members that were known and live, and the processes linked to them", func(flavour process.Forks) {
		r := rehearsal.New(flavour)
		delete(r.Rows, 10)
		r.Rows[11], r.Rows[12] = rehearsal.Row(11, 1, 11, 5), rehearsal.Row(12, 1, 12, 12)
		r.Rows[20] = rehearsal.Row(20, 11, 11, 5)
		tree := r.Resume(10, 11, 12, 19)
		Expect(rehearsal.Links(tree)).To(Equal(map[int]string{
			11: "known from before", 12: "known from before", 20: "child of 11"}))
		r.Dies(11, 12)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Alive))
		r.Dies(20)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty))
	}, rehearsal.EveryFlavour)

	DescribeTable("finds orphans through the dead", func(flavour process.Forks) {
		r := rehearsal.New(flavour)
		r.Rows = map[int]process.Row{1: r.Rows[1], 20: rehearsal.Row(20, 1, 11, 5), 21: rehearsal.Row(21, 1, 21, 12)}
		tree := r.Resume(10, 11, 12)
		Expect(rehearsal.Links(tree)).To(Equal(map[int]string{
			20: "orphan in the group of 11", 21: "orphan in the session of 12"}))
	}, rehearsal.EveryFlavour)

	DescribeTable("is empty when no process lives", func(flavour process.Forks) {
		r := rehearsal.New(flavour)
		r.Rows = map[int]process.Row{1: r.Rows[1], 5: r.Rows[5]}
		Expect(rehearsal.Verdict(r.Resume(10, 11, 12))).To(Equal(trees.Empty))
	}, rehearsal.EveryFlavour)

	It("has the root as root, if that lives", func() {
		tree := rehearsal.New(process.ForksAnnounced).Resume(10)
		Expect(rehearsal.Links(tree)).To(Equal(map[int]string{10: "the root", 11: "child of 10", 12: "child of 10"}))
	})

	It("knows no process by a PID that is another's now", func() {
		r := rehearsal.New(process.ForksAnnounced)
		delete(r.Rows, 11)
		delete(r.Rows, 12)
		r.Rows[10] = rehearsal.Row(10, 1, 10, 10, rehearsal.Born(5000))
		r.Rows[20] = rehearsal.Row(20, 10, 10, 10, rehearsal.Born(6000))
		tree := r.Resume(10, 11)
		Expect(tree.Members()).To(BeEmpty())
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty))
	})

	It("inside another has the members that are known to the outer one already", func() {
		r := rehearsal.New(process.ForksAnnounced)
		outer := r.Track(10)
		inner := r.Resume(11, 11)
		Expect(rehearsal.Verdict(inner)).To(Equal(trees.Alive))
		Expect(rehearsal.Links(inner)).To(HaveKey(11))
		r.Dies(11)
		Expect(rehearsal.Verdict(inner)).To(Equal(trees.Empty))
		Expect(rehearsal.Verdict(outer)).To(Equal(trees.Alive))
	})

	It("where another process had a PID before ends that one", func() {
		r := rehearsal.New(process.ForksAnnounced)
		r.Rows[11] = rehearsal.Row(11, 10, 11, 5, rehearsal.Born(1005))
		outer := r.Track(10)
		r.Rows[11] = rehearsal.Row(11, 1, 11, 5)
		resumed := r.Resume(11)
		Expect(rehearsal.Links(resumed)).To(HaveKey(11))
		r.Dies(10, 12)
		Expect(rehearsal.Verdict(outer)).To(Equal(trees.Empty))
		Expect(rehearsal.Verdict(resumed)).To(Equal(trees.Alive))
	})
})

var _ = Describe("Two trees of which the same processes are known", func() {
	// 20 was the root of the tree inside, 21 is an orphan of it. Nothing in the table links 21
	// to either.
	around := trees.History{Members: []process.Identity{rehearsal.Identity(10), rehearsal.Identity(20), rehearsal.Identity(21), rehearsal.Identity(22)}}
	inside := trees.History{Members: []process.Identity{rehearsal.Identity(20), rehearsal.Identity(21)}}

	for _, flavour := range []process.Forks{process.ForksUnseen, process.ForksAnnounced, process.ForksNamed} {
		DescribeTable("both have them, in whichever order they begin again, where forks are "+flavour.String(), func(first, second int) {
			r := rehearsal.New(flavour)
			r.Rows[21], r.Rows[22] = rehearsal.Row(21, 1, 21, 21), rehearsal.Row(22, 21, 22, 22)
			begun := make(map[int]*rehearsal.Tree)
			for _, root := range []int{first, second} {
				begun[root] = r.Follow(root, map[int]trees.History{10: around, 20: inside}[root])
			}
			for root, t := range begun {
				Expect(rehearsal.Links(t)).To(And(HaveKey(21), HaveKey(22)), "the tree of %d", root)
			}
			Expect(rehearsal.Links(begun[20])).NotTo(HaveKey(10))
			r.Dies(10, 11, 12)
			Expect(rehearsal.Verdict(begun[10])).To(Equal(trees.Alive))
			Expect(rehearsal.Verdict(begun[20])).To(Equal(trees.Alive))
			r.Dies(21, 22)
			Expect(rehearsal.Verdict(begun[10])).To(Equal(trees.Empty))
			Expect(rehearsal.Verdict(begun[20])).To(Equal(trees.Empty))
		},
			Entry("the one around first", 10, 20),
			Entry("the one inside first", 20, 10),
		)

		It("have those of a third one between them, where forks are "+flavour.String(), func() {
			r := rehearsal.New(flavour)
			r.Rows[21], r.Rows[31] = rehearsal.Row(21, 1, 21, 21), rehearsal.Row(31, 1, 31, 31)
			of := func(pids ...int) (h trees.History) {
				for _, pid := range pids {
					h.Members = append(h.Members, rehearsal.Identity(pid))
				}
				return h
			}
			outer := r.Follow(10, of(10, 20, 21, 30, 31))
			inner := r.Follow(30, of(30, 31))
			between := r.Follow(20, of(20, 21, 30, 31))
			Expect(rehearsal.Links(outer)).To(And(HaveKey(21), HaveKey(31)))
			Expect(rehearsal.Links(between)).To(And(HaveKey(21), HaveKey(31)))
			Expect(rehearsal.Links(inner)).To(HaveLen(1))
			r.Dies(10, 11, 12, 21)
			Expect(rehearsal.Verdict(between)).To(Equal(trees.Alive))
			r.Dies(31)
			for _, t := range []*rehearsal.Tree{outer, between, inner} {
				Expect(rehearsal.Verdict(t)).To(Equal(trees.Empty))
			}
		})
	}
})
