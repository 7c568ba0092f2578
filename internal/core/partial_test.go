package core_test

import (
	"errors"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/internal/rehearsal"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

var errHides = errors.New("processes are hidden")

var _ = Describe("A table that does not show all processes", func() {
	It("shows no tree empty, and the reason is told once", func() {
		r := rehearsal.New(process.ForksUnseen)
		tree := r.Track(10)
		rehearsal.Changes(tree)
		r.Hides = errHides
		r.Dies(10, 11, 12)
		r.HappensLater(time.Second)
		v, err := tree.Verdict()
		Expect(v).To(Equal(trees.Unknown))
		Expect(err).To(MatchError(errHides))
		Expect(rehearsal.Changes(tree)).To(And(ContainElement("unreadable"), Not(ContainElement("emptied"))))
		r.HappensLater(time.Minute)
		Expect(rehearsal.Changes(tree)).To(BeEmpty())

		r.Hides = nil
		r.HappensLater(time.Second)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty))
		Expect(rehearsal.Changes(tree)).To(Equal([]string{"readable", "emptied"}))
	})

	It("hides no member where each fork is named", func() {
		r := rehearsal.New(process.ForksNamed)
		tree := r.Track(10)
		r.Hides = errHides
		r.Dies(10, 11, 12)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty))
	})

	It("may hide one where notices were lost", func() {
		r := rehearsal.New(process.ForksNamed)
		tree := r.Track(10)
		r.Hides = errHides
		r.Posted = append(r.Posted, core.Notice{Lost: true})
		r.Dies(10, 11, 12)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Unknown))
	})

	It("may hide one that was made while no tracker ran", func() {
		r := rehearsal.New(process.ForksNamed)
		r.Hides = errHides
		tree := r.Resume(10, 11)
		r.Dies(10, 11, 12)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Unknown))
	})
})

var _ = Describe("A hidden process", func() {
	It("is a member if a member is its parent, until it can be looked up no more", func() {
		r := rehearsal.New(process.ForksUnseen)
		tree := r.Track(10)
		r.Hides = errHides
		r.Appears(rehearsal.Row(20, 11, 10, 5, rehearsal.Hidden))
		r.HappensLater(time.Second)
		Expect(rehearsal.Links(tree)).To(HaveKey(20))
	})

	It("is a member as an orphan in the group that a member created, though its start time is not known", func() {
		r := rehearsal.New(process.ForksUnseen)
		tree := r.Track(10)
		r.Hides = errHides
		r.Appears(rehearsal.Row(20, 1, 11, 5, rehearsal.Hidden))
		Expect(rehearsal.Links(tree)).To(HaveKeyWithValue(20, "orphan in the group of 11"))
	})

	It("is the process that it was before it was hidden, and after", func() {
		r := rehearsal.New(process.ForksUnseen)
		tree := r.Track(10)
		rehearsal.Changes(tree)
		r.Hides = errHides
		r.Rows[12] = rehearsal.Row(12, r.Rows[12].Parent, 10, 5, rehearsal.Hidden)
		r.HappensLater(time.Second)
		Expect(rehearsal.Changes(tree)).To(BeEmpty())

		r.Appears(rehearsal.Row(20, 11, 10, 5, rehearsal.Hidden))
		r.HappensLater(time.Second)
		r.Rows[20] = rehearsal.Row(20, 11, 10, 5)
		r.HappensLater(time.Second)
		Expect(rehearsal.Changes(tree)).To(Equal([]string{"joined 20", "left 20", "joined 20"}))
		Expect(tree.Members()).To(ContainElement(HaveField("Identity", rehearsal.Identity(20))))
	})
})
