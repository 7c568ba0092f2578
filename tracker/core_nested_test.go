package tracker

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

var _ = Describe("A tree inside another", func() {
	pids := func(t *followed) (all []int) {
		for _, m := range t.Members() {
			all = append(all, m.PID)
		}
		return all
	}
	treeOf := func(r *rehearsal, pid int) int {
		GinkgoHelper()
		tree, ok := r.treeOf(pid)
		Expect(ok).To(BeTrue())
		return tree.Root().PID
	}
	// family is 10 → 11 → 20 → 21 and 10 → 12.
	family := func(flavour process.Forks) *rehearsal {
		r := rehearse(flavour)
		r.rows[20], r.rows[21] = row(20, 11, 11, 5), row(21, 20, 11, 5)
		return r
	}

	DescribeTable("shares its members with the outer one and is nearer to them", func(flavour process.Forks) {
		r := family(flavour)
		outer := r.track(10)
		inner := r.track(11)
		Expect(pids(outer)).To(Equal([]int{10, 11, 12, 20, 21}))
		Expect(pids(inner)).To(Equal([]int{11, 20, 21}))
		Expect(treeOf(r, 12)).To(Equal(10))
		Expect(treeOf(r, 21)).To(Equal(11))
		r.appears(row(22, 21, 11, 5))
		Expect(treeOf(r, 22)).To(Equal(11))
		Expect(pids(outer)).To(ContainElement(22))
		r.dies(11, 20, 21, 22)
		Expect(verdict(inner)).To(Equal(trees.Empty))
		Expect(verdict(outer)).To(Equal(trees.Alive))
		r.dies(12, 10)
		Expect(verdict(outer)).To(Equal(trees.Empty))
	}, everyFlavour)

	DescribeTable("may be there before the outer one", func(flavour process.Forks) {
		r := family(flavour)
		inner := r.track(11)
		outer := r.track(10)
		Expect(pids(outer)).To(Equal([]int{10, 11, 12, 20, 21}))
		Expect(treeOf(r, 20)).To(Equal(11))
		Expect(changes(outer)).To(ConsistOf("joined 10", "joined 11", "joined 12", "joined 20", "joined 21"))
		r.dies(10, 11, 12, 20)
		Expect(verdict(inner)).To(Equal(trees.Alive))
		Expect(verdict(outer)).To(Equal(trees.Alive))
		r.dies(21)
		Expect(verdict(inner)).To(Equal(trees.Empty))
		Expect(verdict(outer)).To(Equal(trees.Empty))
	}, everyFlavour)

	DescribeTable("may come between two", func(flavour process.Forks) {
		r := family(flavour)
		outer, inner, middle := r.track(10), r.track(20), r.track(11)
		Expect(pids(outer)).To(Equal([]int{10, 11, 12, 20, 21}))
		Expect(pids(middle)).To(Equal([]int{11, 20, 21}))
		Expect(pids(inner)).To(Equal([]int{20, 21}))
		r.dies(11, 20)
		Expect(verdict(middle)).To(Equal(trees.Alive))
		r.dies(21)
		Expect(verdict(middle)).To(Equal(trees.Empty))
	}, everyFlavour)

	DescribeTable("may come between two although the root of the inner one is dead and forgotten", func(flavour process.Forks) {
		r := family(flavour)
		r.rows[20] = row(20, 11, 20, 5) // whose group is its own, so that no row names it later
		outer, inner := r.track(10), r.track(20)
		r.dies(20)
		Expect(pids(inner)).To(Equal([]int{21}))
		middle := r.track(11)
		Expect(pids(outer)).To(Equal([]int{10, 11, 12, 21}))
		Expect(pids(middle)).To(Equal([]int{11, 21}))
		r.dies(11)
		Expect(verdict(middle)).To(Equal(trees.Alive))
	}, everyFlavour)

	DescribeTable("may have the same root", func(flavour process.Forks) {
		r := family(flavour)
		first, second := r.track(11), r.track(11)
		Expect(pids(first)).To(Equal([]int{11, 20, 21}))
		Expect(pids(second)).To(Equal(pids(first)))
		r.dies(11, 20)
		r.appears(row(22, 21, 11, 5))
		Expect(pids(first)).To(Equal([]int{21, 22}))
		Expect(pids(second)).To(Equal(pids(first)))
		r.dies(21, 22)
		Expect(verdict(first)).To(Equal(trees.Empty))
		Expect(verdict(second)).To(Equal(trees.Empty))
	}, everyFlavour)

	It("with the same root as another may have one come around both", func() {
		r := family(process.ForksAnnounced)
		outermost, first, second := r.track(10), r.track(20), r.track(20)
		around := r.track(11)
		Expect(pids(around)).To(Equal([]int{11, 20, 21}))
		r.dies(11)
		Expect(verdict(around)).To(Equal(trees.Alive))
		r.dies(20, 21)
		for _, tree := range []*followed{around, first, second} {
			Expect(verdict(tree)).To(Equal(trees.Empty))
		}
		Expect(verdict(outermost)).To(Equal(trees.Alive))
	})

	DescribeTable("ends alone", func(flavour process.Forks) {
		r := family(flavour)
		outer := r.track(10)
		inner := r.track(11)
		r.drop(inner)
		r.run()
		Expect(treeOf(r, 20)).To(Equal(10))
		Expect(pids(outer)).To(Equal([]int{10, 11, 12, 20, 21}))
		r.dies(10, 11, 12, 20)
		Expect(verdict(outer)).To(Equal(trees.Alive))
		r.dies(21)
		Expect(verdict(outer)).To(Equal(trees.Empty))
	}, everyFlavour)

	DescribeTable("outlives the outer one", func(flavour process.Forks) {
		r := family(flavour)
		outer := r.track(10)
		inner := r.track(11)
		r.drop(outer)
		r.run()
		_, ok := r.treeOf(12)
		Expect(ok).To(BeFalse())
		Expect(r.watched).To(And(Not(HaveKey(10)), HaveKey(11)))
		r.dies(11, 20)
		Expect(verdict(inner)).To(Equal(trees.Alive))
		r.dies(21)
		Expect(verdict(inner)).To(Equal(trees.Empty))
	}, everyFlavour)
})

var _ = Describe("A tree that was ended", func() {
	It("may be begun again at once, and is watched", func() {
		r := rehearse(process.ForksAnnounced)
		first := r.track(10)
		r.drop(first)
		second := r.track(10) // before the tracker has stopped to watch
		Expect(r.watched).To(HaveKey(10))
		r.dies(10, 11, 12)
		Expect(verdict(second)).To(Equal(trees.Empty))
	})
})

var _ = Describe("A tree that is resumed", func() {
	DescribeTable("has the members that were known and live, and whoever is linked to them", func(flavour process.Forks) {
		r := rehearse(flavour)
		delete(r.rows, 10)
		r.rows[11], r.rows[12] = row(11, 1, 11, 5), row(12, 1, 12, 12)
		r.rows[20] = row(20, 11, 11, 5)
		tree := r.resume(10, 11, 12, 19)
		Expect(links(tree)).To(Equal(map[int]string{
			11: "known from before", 12: "known from before", 20: "child of 11"}))
		r.dies(11, 12)
		Expect(verdict(tree)).To(Equal(trees.Alive))
		r.dies(20)
		Expect(verdict(tree)).To(Equal(trees.Empty))
	}, everyFlavour)

	DescribeTable("finds orphans through the dead", func(flavour process.Forks) {
		r := rehearse(flavour)
		r.rows = map[int]process.Row{1: r.rows[1], 20: row(20, 1, 11, 5), 21: row(21, 1, 21, 12)}
		tree := r.resume(10, 11, 12)
		Expect(links(tree)).To(Equal(map[int]string{
			20: "orphan in the group of 11", 21: "orphan in the session of 12"}))
	}, everyFlavour)

	DescribeTable("is empty when nobody lives", func(flavour process.Forks) {
		r := rehearse(flavour)
		r.rows = map[int]process.Row{1: r.rows[1], 5: r.rows[5]}
		Expect(verdict(r.resume(10, 11, 12))).To(Equal(trees.Empty))
	}, everyFlavour)

	It("has the root as root, if that lives", func() {
		tree := rehearse(process.ForksAnnounced).resume(10)
		Expect(links(tree)).To(Equal(map[int]string{10: "the root", 11: "child of 10", 12: "child of 10"}))
	})

	It("knows nobody by a PID that is another's now", func() {
		r := rehearse(process.ForksAnnounced)
		delete(r.rows, 11)
		delete(r.rows, 12)
		r.rows[10] = row(10, 1, 10, 10, born(5000))
		r.rows[20] = row(20, 10, 10, 10, born(6000))
		tree := r.resume(10, 11)
		Expect(tree.Members()).To(BeEmpty())
		Expect(verdict(tree)).To(Equal(trees.Empty))
	})

	It("inside another has the members that are known to the outer one already", func() {
		r := rehearse(process.ForksAnnounced)
		outer := r.track(10)
		inner := r.resume(11, 11)
		Expect(verdict(inner)).To(Equal(trees.Alive))
		Expect(links(inner)).To(HaveKey(11))
		r.dies(11)
		Expect(verdict(inner)).To(Equal(trees.Empty))
		Expect(verdict(outer)).To(Equal(trees.Alive))
	})

	It("where another process had a PID before ends that one", func() {
		r := rehearse(process.ForksAnnounced)
		r.rows[11] = row(11, 10, 11, 5, born(1005))
		outer := r.track(10)
		r.rows[11] = row(11, 1, 11, 5)
		resumed := r.resume(11)
		Expect(links(resumed)).To(HaveKey(11))
		r.dies(10, 12)
		Expect(verdict(outer)).To(Equal(trees.Empty))
		Expect(verdict(resumed)).To(Equal(trees.Alive))
	})
})
