package core_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/internal/rehearsal"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

var _ = Describe("A tree that begins", func() {
	var r *rehearsal.Rehearsal

	// begins has the tracker take steps until the tree has begun.
	begins := func(t *core.Tree, err error) {
		GinkgoHelper()
		Expect(err).NotTo(HaveOccurred())
		for steps := 0; !t.Begun(); steps++ {
			Expect(r.Follower.Step()).To(Succeed())
			Expect(steps).To(BeNumerically("<", 100), "it never begins")
		}
	}
	resume := func(fresh bool) (*core.Tree, error) {
		root := rehearsal.Identity(10)
		return r.Follower.Resume(root, trees.History{Members: []process.Identity{root}, Fresh: fresh})
	}
	// makesAtLast has a process make a child just before it is watched. Nothing announces that.
	makesAtLast := func(parent, child int) {
		r.BeforeAdd = func(pid int) {
			if pid == parent {
				r.Rows[child] = rehearsal.Row(child, parent, 5, 5)
			}
		}
	}

	DescribeTable("has what its root had made when it was watched, where the root is known from before", func(forks process.Forks) {
		r = rehearsal.New(forks)
		makesAtLast(10, 13)
		begins(resume(false))
		Expect(r.Knows(13)).To(BeTrue())
	}, rehearsal.EveryFlavour)

	DescribeTable("has what a process had made when it was watched that the first read shows", func(forks process.Forks, again bool) {
		r = rehearsal.New(forks)
		makesAtLast(11, 13)
		if again {
			begins(resume(false))
		} else {
			begins(r.Follower.Track(10))
		}
		Expect(r.Knows(13)).To(BeTrue())
	},
		Entry("where forks are announced", process.ForksAnnounced, false),
		Entry("where forks are named", process.ForksNamed, false),
		Entry("where forks are unseen", process.ForksUnseen, false),
		Entry("where forks are announced, and the root is known from before", process.ForksAnnounced, true),
		Entry("where forks are named, and the root is known from before", process.ForksNamed, true),
		Entry("where forks are unseen, and the root is known from before", process.ForksUnseen, true),
	)

	DescribeTable("has begun after some reads though each of them shows another process", func(forks process.Forks) {
		r = rehearsal.New(forks)
		next := 13
		r.BeforeRead = func() {
			r.Rows[next] = rehearsal.Row(next, 10, 5, 5)
			next++
		}
		begins(r.Follower.Track(10))
		Expect(r.Reads).To(Equal(core.UrgentReads))
	}, rehearsal.EveryFlavour)

	DescribeTable("has begun after one read where the root waits for that", func(forks process.Forks) {
		r = rehearsal.New(forks)
		begins(resume(true))
		Expect(r.Reads).To(Equal(1))
		Expect(r.Watched).To(HaveKey(10))
	}, rehearsal.EveryFlavour)
})
