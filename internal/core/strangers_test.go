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

var _ = Describe("A tree whose root has made no member yet", func() {
	root := trees.History{Members: []process.Identity{rehearsal.Identity(10)}, Fresh: true}
	// The shell 5 made 10 and 13 for a pipeline, and 10 had made 11 and 12 already.
	pipeline := func(flavour process.Forks) *rehearsal.Rehearsal {
		r := rehearsal.New(flavour)
		r.Rows[13] = rehearsal.Row(13, 5, 10, 5)
		return r
	}
	onlyRoot := map[int]string{10: "the root"}

	DescribeTable("begins with that root alone", func(flavour process.Forks) {
		r := pipeline(flavour)
		tree := r.Follow(10, root)
		Expect(rehearsal.Links(tree)).To(Equal(onlyRoot))
		r.Dies(10)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty))
	}, rehearsal.EveryFlavour)

	DescribeTable("counts no stranger when the shell is dead, and counts orphans of its own in the same group", func(flavour process.Forks) {
		r := pipeline(flavour)
		tree := r.Follow(10, root)
		r.Dies(5)
		r.Appears(rehearsal.Row(20, 10, 10, 5))
		r.Rows[21] = rehearsal.Row(21, 1, 10, 5) // no notice, and no parent that is known
		r.Dies(10)
		Expect(rehearsal.Links(tree)).To(Equal(map[int]string{20: "child of 10", 21: "orphan in the group of 10"}))
		r.Dies(20, 21)
		r.HappensLater(core.SafetyBeat)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty))
	}, rehearsal.EveryFlavour)

	DescribeTable("counts no child of a stranger, also when that is dead", func(flavour process.Forks) {
		r := pipeline(flavour)
		tree := r.Follow(10, root)
		r.Appears(rehearsal.Row(20, 13, 10, 5))
		r.Follower.Recheck(tree.Tree)
		r.Run()
		r.Dies(5, 13)
		r.Follower.Recheck(tree.Tree)
		r.Run()
		Expect(rehearsal.Links(tree)).To(Equal(onlyRoot))
		r.Dies(10)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty))
	}, rehearsal.EveryFlavour)

	It("has them named by the kernel, without a read", func() {
		r := pipeline(process.ForksNamed)
		tree := r.Follow(10, root)
		reads := r.Reads
		r.Appears(rehearsal.Row(20, 13, 10, 5))
		r.Dies(13)
		Expect(r.Reads).To(Equal(reads))
		r.Dies(10)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty))
	})

	It("takes what the shell puts into its group later for a stranger where orphans go to init alone", func() {
		r := pipeline(process.ForksAnnounced)
		tree := r.Follow(10, root)
		r.Rows[20] = rehearsal.Row(20, 5, 10, 5)
		r.Follower.Recheck(tree.Tree)
		r.Run()
		r.Dies(5)
		r.Dies(10)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty))
	})

	DescribeTable("takes what may be an adopted orphan for a member once the shell is dead", func(flavour process.Forks) {
		r := pipeline(flavour)
		tree := r.Follow(10, root)
		r.Rows[20] = rehearsal.Row(20, 5, 10, 5)
		r.Follower.Recheck(tree.Tree)
		r.Run()
		r.Dies(5)
		r.Dies(10)
		Expect(rehearsal.Links(tree)).To(Equal(map[int]string{20: "orphan in the group of 10"}))
	},
		Entry("where forks are named", process.ForksNamed),
		Entry("where forks are unseen", process.ForksUnseen),
	)

	DescribeTable("is resumed with the strangers that were known", func(flavour process.Forks) {
		r := pipeline(flavour)
		var strangers []process.Identity
		first := r.Follow(10, root)
		r.Follower.Do(func(c *core.Core) { strangers = c.Strangers(first.Tree) })
		Expect(strangers).To(ContainElements(rehearsal.Identity(11), rehearsal.Identity(12), rehearsal.Identity(13)))
		r.Drop(first)
		r.Run()
		Expect(r.Watched).NotTo(HaveKey(13))
		r.Bury(5)
		again := r.Follow(10, trees.History{Members: root.Members, Strangers: strangers})
		Expect(rehearsal.Links(again)).To(Equal(onlyRoot))
		r.Dies(10)
		Expect(rehearsal.Verdict(again)).To(Equal(trees.Empty))
	}, rehearsal.EveryFlavour)

	DescribeTable("leaves the strangers to the tree around it", func(flavour process.Forks) {
		r := pipeline(flavour)
		outer := r.Track(5)
		inner := r.Follow(10, root)
		Expect(rehearsal.Links(inner)).To(HaveLen(1))
		Expect(outer.Members()).To(HaveLen(5))
		r.Dies(10)
		Expect(rehearsal.Verdict(inner)).To(Equal(trees.Empty))
		Expect(rehearsal.Links(outer)).To(And(HaveKey(11), HaveKey(12), HaveKey(13)))
	}, rehearsal.EveryFlavour)

	DescribeTable("leaves them also to one that begins later", func(flavour process.Forks) {
		r := pipeline(flavour)
		inner := r.Follow(10, root)
		outer := r.Track(5)
		Expect(rehearsal.Links(inner)).To(HaveLen(1))
		Expect(outer.Members()).To(HaveLen(5))
		tree, _ := r.TreeOf(11)
		Expect(tree.Root().PID).To(Equal(5))
	}, rehearsal.EveryFlavour)

	It("knows no stranger by a PID that is another's now", func() {
		r := pipeline(process.ForksNamed)
		r.BeforeAdd = func(pid int) {
			if pid == 13 {
				r.Replaces(rehearsal.Row(13, 5, 5, 5, rehearsal.Born(5000)))
			}
		}
		tree := r.Follow(10, root)
		Expect(r.Watched).NotTo(HaveKey(13))
		r.Appears(rehearsal.Row(20, 10, 10, 5))
		Expect(rehearsal.Links(tree)).To(HaveLen(2))
	})
})

var _ = Describe("A tree whose root has made no member, and stands alone", func() {
	fresh := func(r *rehearsal.Rehearsal) *core.Tree {
		GinkgoHelper()
		root := rehearsal.Identity(10)
		delete(r.Rows, 11)
		delete(r.Rows, 12)
		tree, err := r.Follower.Resume(root, trees.History{Members: []process.Identity{root}, Fresh: true})
		Expect(err).NotTo(HaveOccurred())
		return tree
	}

	It("begins without a read where forks are named, and what the root makes is a member", func() {
		r := rehearsal.New(process.ForksNamed)
		r.Lonely = true
		tree := fresh(r)
		Expect(tree.Begun()).To(BeTrue())
		Expect(r.Reads).To(BeZero())
		r.Appears(rehearsal.Row(13, 10, 10, 5))
		Expect(r.Knows(13)).To(BeTrue())
		Expect(r.Reads).To(BeNumerically(">", 0), "the next reads confirm it, when they are due")
	})

	It("keeps what its root made though the first read of all does not show the root any more", func() {
		r := rehearsal.New(process.ForksNamed)
		r.Lonely = true
		fresh(r)
		child := rehearsal.Row(13, 10, 5, 5)
		r.BeforeRead = func() { // and the notices come after it
			r.BeforeRead = nil
			delete(r.Rows, 10)
			r.Posted = append(r.Posted, core.Notice{PID: 10, Events: process.Forked, Child: 13, Found: child})
			child.Parent = 1
			r.Rows[13] = child
			r.Posted = append(r.Posted, core.Notice{PID: 10, Events: process.Exited})
		}
		r.Run()
		Expect(r.Knows(13)).To(BeTrue())
	})

	DescribeTable("begins with a read elsewhere", func(forks process.Forks, lonely bool) {
		r := rehearsal.New(forks)
		r.Lonely = lonely
		Expect(fresh(r).Begun()).To(BeFalse())
	},
		Entry("where forks are announced", process.ForksAnnounced, true),
		Entry("where forks are unseen", process.ForksUnseen, true),
		Entry("where a process may be linked to the root", process.ForksNamed, false),
	)

	It("begins with a read while the table cannot be read, so that the caller is told", func() {
		r := rehearsal.New(process.ForksNamed)
		r.Lonely = true
		r.Rows[30] = rehearsal.Row(30, 5, 30, 5)
		r.Unreadable = errors.New("no table")
		r.Track(30)
		Expect(fresh(r).Begun()).To(BeFalse())
	})
})
