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

var _ = Describe("A PID that is used again", func() {
	another := rehearsal.Row(11, 5, 5, 5, rehearsal.Born(5000))

	It("between the read and the watch is no member", func() {
		r := rehearsal.New(process.ForksAnnounced)
		r.BeforeAdd = func(pid int) {
			if pid == 11 {
				r.Replaces(another)
			}
		}
		tree := r.Track(10)
		Expect(rehearsal.Links(tree)).To(Equal(map[int]string{10: "the root", 12: "child of 10"}))
		Expect(r.Watched).NotTo(HaveKey(11))
	})

	It("between the read and the watch by a relative is a new member", func() {
		r := rehearsal.New(process.ForksAnnounced)
		later := rehearsal.Row(11, 10, 10, 5, rehearsal.Born(5000))
		r.BeforeAdd = func(pid int) {
			if pid == 11 {
				r.Replaces(later)
			}
		}
		tree := r.Track(10)
		Expect(rehearsal.Links(tree)).To(HaveKeyWithValue(11, "child of 10"))
		Expect(tree.Members()).To(ContainElement(HaveField("Identity", later.Identity)))
		Expect(tree.Members()).NotTo(ContainElement(HaveField("Identity", rehearsal.Identity(11))))
		Expect(r.Watched).To(HaveKeyWithValue(11, process.StartTime(5000)))
	})

	It("without any notice ends the member", func() {
		r := rehearsal.New(process.ForksAnnounced)
		tree := r.Track(10)
		rehearsal.Changes(tree)
		r.Replaces(another)
		r.Appears(rehearsal.Row(20, 10, 10, 5))
		Expect(rehearsal.Links(tree)).NotTo(HaveKey(11))
		Expect(rehearsal.Changes(tree)).To(ConsistOf("left 11", "joined 20"))
		Expect(r.Watched).NotTo(HaveKey(11))
	})

	It("by a root is another tree, and is watched", func() {
		r := rehearsal.New(process.ForksAnnounced)
		r.Rows = map[int]process.Row{1: r.Rows[1], 10: r.Rows[10]}
		old := r.Track(10)
		// The end of the old one is not announced yet when the new one is tracked.
		r.Replaces(rehearsal.Row(10, 1, 10, 10, rehearsal.Born(5000)))
		tree := r.Track(10)
		Expect(rehearsal.Verdict(old)).To(Equal(trees.Empty))
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Alive))
		Expect(r.Watched).To(HaveKeyWithValue(10, process.StartTime(5000)))
		r.Dies(10)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty))
	})
})

var _ = Describe("The PID of a process long dead, where no read was needed since", func() {
	// strangers is a tree one member of which is dead. A stranger had the PID since,
	// created a group and died; what is left of the stranger is a child in that group.
	strangers := func() (*rehearsal.Rehearsal, *rehearsal.Tree) {
		r := rehearsal.New(process.ForksNamed)
		tree := r.Track(10)
		r.Appears(rehearsal.Row(20, 10, 10, 5))
		r.Dies(20) // and the dead stay until there are many
		r.Dies(11)
		r.Clock = r.Clock.Add(time.Minute)
		r.Rows[30] = rehearsal.Row(30, 1, 11, 30, rehearsal.Born(9000))
		return r, tree
	}

	It("links no process when another tree begins", func() {
		r, tree := strangers()
		r.Track(12)
		Expect(rehearsal.Links(tree)).NotTo(HaveKey(30))
	})

	It("links no process when the tree is read anew", func() {
		r, tree := strangers()
		reads := r.Reads
		r.Follower.Recheck(tree.Tree)
		r.Run()
		Expect(r.Reads).To(BeNumerically(">", reads))
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Alive))
		Expect(rehearsal.Links(tree)).NotTo(HaveKey(30))
	})

	It("links no process when notices were lost", func() {
		r, tree := strangers()
		r.Posted = append(r.Posted, core.Notice{Lost: true})
		r.Run()
		Expect(rehearsal.Links(tree)).NotTo(HaveKey(30))
	})

	It("links those whose group a member is still in", func() {
		r := rehearsal.New(process.ForksNamed)
		tree := r.Track(10)
		r.Appears(rehearsal.Row(20, 11, 11, 5))
		r.Dies(11)
		r.Rows[30] = rehearsal.Row(30, 1, 11, 5)
		r.Track(12)
		Expect(rehearsal.Links(tree)).To(HaveKeyWithValue(30, "orphan in the group of 11"))
	})
})
