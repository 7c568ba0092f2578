package core_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/internal/rehearsal"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

var _ = Describe("A released process", func() {
	// family is 10 → 11 → 20 → 21 and 10 → 12, where 20 has a session of its own.
	family := func(flavour process.Forks) (*rehearsal.Rehearsal, *rehearsal.Tree) {
		GinkgoHelper()
		r := rehearsal.New(flavour)
		r.Rows[20], r.Rows[21] = rehearsal.Row(20, 11, 20, 20), rehearsal.Row(21, 20, 20, 20)
		t := r.Track(10)
		Expect(t.PIDs()).To(Equal([]int{10, 11, 12, 20, 21}))
		return r, t
	}

	DescribeTable("does not count any more, nor what descends from it", func(flavour process.Forks) {
		r, t := family(flavour)
		rehearsal.Changes(t)
		Expect(r.Release(t, 20)).To(Succeed())
		Expect(t.PIDs()).To(Equal([]int{10, 11, 12}))
		Expect(t.Released()).To(Equal([]int{20, 21}))
		Expect(rehearsal.Changes(t)).To(ConsistOf("released 20", "released 21"))
		_, isMember := r.TreeOf(21)
		Expect(isMember).To(BeFalse())
		r.Dies(10, 11, 12)
		Expect(rehearsal.Verdict(t)).To(Equal(trees.Empty))
		Expect(t.Released()).To(Equal([]int{20, 21}))
	}, rehearsal.EveryFlavour)

	DescribeTable("makes processes that do not count, also when these are orphans of its session", func(flavour process.Forks) {
		r, t := family(flavour)
		Expect(r.Release(t, 20)).To(Succeed())
		rehearsal.Changes(t)
		r.Appears(rehearsal.Row(22, 21, 20, 20))
		r.Rows[23] = rehearsal.Row(23, 1, 23, 20) // made by 21 and another, and not seen before
		r.Follower.Recheck(t.Tree)
		r.Run()
		Expect(t.Released()).To(Equal([]int{20, 21, 22, 23}))
		r.Dies(21)
		Expect(rehearsal.Changes(t)).To(ConsistOf("released 22", "released 23", "ended 21"))
		r.Dies(10, 11, 12, 20)
		Expect(t.Released()).To(Equal([]int{22, 23}))
		Expect(rehearsal.Verdict(t)).To(Equal(trees.Empty))
	}, rehearsal.EveryFlavour)

	DescribeTable("leaves the others of its group as they are, and links orphans of it to the tree", func(flavour process.Forks) {
		r := rehearsal.New(flavour)
		r.Rows[20], r.Rows[21] = rehearsal.Row(20, 10, 20, 5), rehearsal.Row(21, 10, 20, 5) // a pipeline
		t := r.Track(10)
		Expect(r.Release(t, 20)).To(Succeed())
		Expect(t.PIDs()).To(Equal([]int{10, 11, 12, 21}))
		r.Rows[22] = rehearsal.Row(22, 1, 20, 5) // an orphan of 21, perhaps
		r.Follower.Recheck(t.Tree)
		r.Run()
		Expect(rehearsal.Links(t)).To(HaveKeyWithValue(22, "orphan in the group of 20"))
		r.Dies(10, 11, 12, 21)
		Expect(rehearsal.Verdict(t)).To(Equal(trees.Alive))
		r.Dies(20)
		Expect(t.PIDs()).To(Equal([]int{22}))
		r.Dies(22)
		Expect(rehearsal.Verdict(t)).To(Equal(trees.Empty))
	}, rehearsal.EveryFlavour)

	DescribeTable("does not take along an orphan that only its group links to it", func(flavour process.Forks) {
		r := rehearsal.New(flavour)
		r.Rows[20], r.Rows[21] = rehearsal.Row(20, 10, 20, 5), rehearsal.Row(21, 1, 20, 5)
		r.Rows[22] = rehearsal.Row(22, 21, 20, 5)
		t := r.Track(10)
		Expect(rehearsal.Links(t)).To(HaveKeyWithValue(21, "orphan in the group of 20"))
		Expect(r.Release(t, 20)).To(Succeed())
		Expect(t.PIDs()).To(Equal([]int{10, 11, 12, 21, 22}))
	}, rehearsal.EveryFlavour)

	DescribeTable("takes along an orphan of its session, also if its group came first", func(flavour process.Forks) {
		r := rehearsal.New(flavour)
		r.Rows[20], r.Rows[21] = rehearsal.Row(20, 10, 20, 20), rehearsal.Row(21, 1, 20, 20)
		t := r.Track(10)
		Expect(rehearsal.Links(t)).To(HaveKeyWithValue(21, "orphan in the group of 20"))
		Expect(r.Release(t, 20)).To(Succeed())
		Expect(t.PIDs()).To(Equal([]int{10, 11, 12}))
	}, rehearsal.EveryFlavour)

	DescribeTable("takes along those of which the caller knows that they descend from it", func(flavour process.Forks) {
		r := rehearsal.New(flavour)
		r.Rows[20], r.Rows[21] = rehearsal.Row(20, 1, 20, 20), rehearsal.Row(21, 1, 21, 21)
		r.Rows[22] = rehearsal.Row(22, 21, 21, 21)
		t := r.Resume(10, 11, 12, 20, 21)
		Expect(r.Release(t, 20, 21)).To(Succeed())
		Expect(t.PIDs()).To(Equal([]int{10, 11, 12}))
		Expect(t.Released()).To(Equal([]int{20, 21, 22}))
	}, rehearsal.EveryFlavour)

	DescribeTable("takes along its children that were known from before", func(flavour process.Forks) {
		r := rehearsal.New(flavour)
		r.Rows[20], r.Rows[21] = rehearsal.Row(20, 1, 20, 20), rehearsal.Row(21, 20, 20, 20)
		t := r.Resume(10, 11, 12, 20, 21)
		Expect(r.Release(t, 20)).To(Succeed())
		Expect(t.Released()).To(Equal([]int{20, 21}))
	}, rehearsal.EveryFlavour)

	DescribeTable("is released still for a tracker that follows the tree later", func(flavour process.Forks) {
		r, t := family(flavour)
		Expect(r.Release(t, 20)).To(Succeed())
		r.Drop(t)
		r.Run()
		r.Rows[22] = rehearsal.Row(22, 1, 20, 20) // made in between, and orphaned
		r.Rows[23] = rehearsal.Row(23, 21, 20, 20)
		again := r.Follow(10, trees.History{
			Members:  []process.Identity{rehearsal.Identity(10), rehearsal.Identity(11), rehearsal.Identity(12)},
			Released: []process.Identity{rehearsal.Identity(20), rehearsal.Identity(21)},
		})
		Expect(again.PIDs()).To(Equal([]int{10, 11, 12}))
		Expect(again.Released()).To(Equal([]int{20, 21, 22, 23}))
		Expect(rehearsal.Changes(again)).To(ContainElements("released 20", "released 21", "released 22", "released 23"))
		r.Dies(10, 11, 12)
		Expect(rehearsal.Verdict(again)).To(Equal(trees.Empty))
	}, rehearsal.EveryFlavour)

	DescribeTable("links later orphans though it is dead when the tree is followed again", func(flavour process.Forks) {
		r := rehearsal.New(flavour)
		r.Rows[22] = rehearsal.Row(22, 1, 20, 20)
		again := r.Follow(10, trees.History{
			Members:  []process.Identity{rehearsal.Identity(10), rehearsal.Identity(11), rehearsal.Identity(12)},
			Released: []process.Identity{rehearsal.Identity(20)},
		})
		Expect(again.PIDs()).To(Equal([]int{10, 11, 12}))
		Expect(again.Released()).To(Equal([]int{22}))
	}, rehearsal.EveryFlavour)

	DescribeTable("may be released twice", func(flavour process.Forks) {
		r, t := family(flavour)
		Expect(r.Release(t, 20)).To(Succeed())
		Expect(r.Release(t, 20)).To(Succeed())
		Expect(r.Release(t, 21)).To(Succeed())
		Expect(r.Release(t, 11)).To(Succeed(), "which made it")
		Expect(t.PIDs()).To(Equal([]int{10, 12}))
		Expect(t.Released()).To(Equal([]int{11, 20, 21}))
	}, rehearsal.EveryFlavour)

	DescribeTable("may be the root, with all members: the tree is empty then", func(flavour process.Forks) {
		r, t := family(flavour)
		Expect(r.Release(t, 10)).To(Succeed())
		Expect(t.PIDs()).To(BeEmpty())
		Expect(t.Released()).To(Equal([]int{10, 11, 12, 20, 21}))
		Expect(rehearsal.Verdict(t)).To(Equal(trees.Empty))
		r.Drop(t)
		r.Run()
		again := r.Follow(10, trees.History{
			Members: []process.Identity{rehearsal.Identity(10)}, Released: []process.Identity{rehearsal.Identity(10), rehearsal.Identity(11)},
		})
		Expect(again.Released()).To(Equal([]int{10, 11, 12, 20, 21}))
		Expect(rehearsal.Verdict(again)).To(Equal(trees.Empty))
	}, rehearsal.EveryFlavour)

	DescribeTable("has to be a live member", func(flavour process.Forks) {
		r, t := family(flavour)
		Expect(r.Release(t, 5)).To(MatchError(core.ErrNoMember))
		Expect(r.Release(t, 99)).To(MatchError(core.ErrNoMember))
		r.Dies(21)
		Expect(r.Release(t, 21)).To(MatchError(core.ErrNoMember))
		Expect(t.PIDs()).To(Equal([]int{10, 11, 12, 20}))
	}, rehearsal.EveryFlavour)

	DescribeTable("counts for the tree around", func(flavour process.Forks) {
		r, outer := family(flavour)
		inner := r.Track(11)
		Expect(r.Release(inner, 20)).To(Succeed())
		Expect(inner.PIDs()).To(Equal([]int{11}))
		Expect(outer.PIDs()).To(Equal([]int{10, 11, 12, 20, 21}))
		nearest, _ := r.TreeOf(21)
		Expect(nearest.Tree).To(BeIdenticalTo(outer.Tree))
		r.Dies(11)
		Expect(rehearsal.Verdict(inner)).To(Equal(trees.Empty))
		r.Dies(10, 12)
		Expect(rehearsal.Verdict(outer)).To(Equal(trees.Alive))
		r.Appears(rehearsal.Row(22, 21, 20, 20))
		Expect(outer.PIDs()).To(Equal([]int{20, 21, 22}))
		Expect(r.Release(outer, 20)).To(Succeed())
		Expect(rehearsal.Verdict(outer)).To(Equal(trees.Empty))
		Expect(outer.Released()).To(Equal([]int{20, 21, 22}))
	}, rehearsal.EveryFlavour)

	DescribeTable("counts for a tree around that begins later, and when the inner one is dropped", func(flavour process.Forks) {
		r := rehearsal.New(flavour)
		r.Rows[20], r.Rows[21] = rehearsal.Row(20, 11, 20, 20), rehearsal.Row(21, 20, 20, 20)
		inner := r.Track(11)
		Expect(r.Release(inner, 20)).To(Succeed())
		outer := r.Track(10)
		Expect(outer.PIDs()).To(Equal([]int{10, 11, 12, 20, 21}))
		Expect(inner.Released()).To(Equal([]int{20, 21}))
		r.Drop(inner)
		r.Run()
		r.Appears(rehearsal.Row(22, 21, 20, 20))
		Expect(outer.PIDs()).To(Equal([]int{10, 11, 12, 20, 21, 22}))
		r.Dies(10, 11, 12, 20, 21)
		Expect(outer.PIDs()).To(Equal([]int{22}))
	}, rehearsal.EveryFlavour)

	DescribeTable("takes a tree inside along whose root descends from it", func(flavour process.Forks) {
		r, outer := family(flavour)
		inner := r.Track(21)
		rehearsal.Changes(outer)
		Expect(r.Release(outer, 21)).To(MatchError(core.ErrInside))
		Expect(r.Release(outer, 20)).To(Succeed())
		Expect(outer.PIDs()).To(Equal([]int{10, 11, 12}))
		Expect(outer.Released()).To(Equal([]int{20, 21}))
		Expect(rehearsal.Changes(outer)).To(ConsistOf("released 20", "released 21"))
		Expect(inner.PIDs()).To(Equal([]int{21}))
		r.Appears(rehearsal.Row(22, 21, 20, 20))
		Expect(inner.PIDs()).To(Equal([]int{21, 22}))
		Expect(outer.PIDs()).To(Equal([]int{10, 11, 12}))
		r.Dies(10, 11, 12)
		Expect(rehearsal.Verdict(outer)).To(Equal(trees.Empty))
		Expect(rehearsal.Verdict(inner)).To(Equal(trees.Alive))
		r.Drop(outer)
		r.Run()
		Expect(inner.PIDs()).To(Equal([]int{21, 22}))
	}, rehearsal.EveryFlavour)

	DescribeTable("can begin a tree of its own, which does not lie in the one around", func(flavour process.Forks) {
		r, outer := family(flavour)
		Expect(r.Release(outer, 20)).To(Succeed())
		inner := r.Track(21)
		r.Appears(rehearsal.Row(22, 21, 20, 20))
		Expect(inner.PIDs()).To(Equal([]int{21, 22}))
		Expect(outer.PIDs()).To(Equal([]int{10, 11, 12}))
		r.Dies(21, 22)
		Expect(rehearsal.Verdict(inner)).To(Equal(trees.Empty))
		Expect(outer.Released()).To(Equal([]int{20}))
	}, rehearsal.EveryFlavour)

	DescribeTable("is sorted out whichever of two nested trees is followed first again", func(flavour process.Forks, outerFirst bool) {
		r := rehearsal.New(flavour)
		r.Rows[20], r.Rows[21] = rehearsal.Row(20, 1, 20, 20), rehearsal.Row(21, 20, 20, 20)
		id := rehearsal.Identity
		follow := map[bool]func() *rehearsal.Tree{
			true: func() *rehearsal.Tree {
				return r.Follow(10, trees.History{Members: []process.Identity{id(10), id(11), id(12), id(20), id(21)}})
			},
			false: func() *rehearsal.Tree {
				return r.Follow(11, trees.History{Members: []process.Identity{id(11)}, Released: []process.Identity{id(20), id(21)}})
			},
		}
		trees := map[bool]*rehearsal.Tree{outerFirst: follow[outerFirst]()}
		trees[!outerFirst] = follow[!outerFirst]()
		outer, inner := trees[true], trees[false]
		Expect(inner.PIDs()).To(Equal([]int{11}))
		Expect(outer.PIDs()).To(Equal([]int{10, 11, 12, 20, 21}))
		r.Appears(rehearsal.Row(22, 21, 20, 20))
		Expect(inner.PIDs()).To(Equal([]int{11}))
		Expect(outer.PIDs()).To(ContainElement(22))
	},
		Entry("the outer one, where forks are announced", process.ForksAnnounced, true),
		Entry("the inner one, where forks are announced", process.ForksAnnounced, false),
		Entry("the outer one, where forks are named", process.ForksNamed, true),
		Entry("the inner one, where forks are named", process.ForksNamed, false),
	)

	DescribeTable("is no reason not to count an orphan that only a mark links to the tree", func(flavour process.Forks) {
		r := rehearsal.New(flavour)
		r.Environments = map[int][]string{22: {"mark"}}
		r.Rows[20] = rehearsal.Row(20, 11, 20, 20)
		t := r.Follow(10, trees.History{Members: []process.Identity{rehearsal.Identity(10)}, Marks: []string{"mark"}})
		Expect(r.Release(t, 20)).To(Succeed())
		r.Rows[22] = rehearsal.Row(22, 1, 22, 22)
		r.Follower.Recheck(t.Tree)
		r.Run()
		Expect(rehearsal.Links(t)).To(HaveKeyWithValue(22, "orphan with the mark in its environment"))
		Expect(r.Release(t, 22)).To(Succeed(), "it can be released as well")
		Expect(t.Released()).To(Equal([]int{20, 22}))
		r.Follower.Recheck(t.Tree)
		r.Run()
		Expect(t.Released()).To(Equal([]int{20, 22}), "its mark does not bring it back")
	}, rehearsal.EveryFlavour)

	It("is waited for by no beat when it is dead", func() {
		r, t := family(process.ForksAnnounced)
		Expect(r.Release(t, 20)).To(Succeed())
		r.Dies(20, 21)
		Expect(r.Idle).To(BeTrue())
	})
})
