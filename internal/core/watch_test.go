package core_test

import (
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/internal/rehearsal"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

var _ = Describe("A process that cannot be watched", func() {
	DescribeTable("because it has begun to exit counts until it is a zombie or gone", func(end func(r *rehearsal.Rehearsal)) {
		r := rehearsal.New(process.ForksAnnounced)
		tree := r.Track(10)
		r.Appears(rehearsal.Row(20, 10, 10, 0, rehearsal.Exiting))
		r.Dies(10, 11, 12)
		Expect(rehearsal.Links(tree)).To(Equal(map[int]string{20: "child of 10"}))
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Alive))
		end(r)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty))
	},
		Entry("a zombie", func(r *rehearsal.Rehearsal) { r.Replaces(rehearsal.Row(20, 1, 10, 0, rehearsal.Zombie)); r.Run() }),
		Entry("gone", func(r *rehearsal.Rehearsal) { delete(r.Rows, 20); r.Run() }),
	)

	It("because it has begun to exit may still make a child", func() {
		r := rehearsal.New(process.ForksAnnounced)
		tree := r.Track(10)
		r.Appears(rehearsal.Row(20, 10, 10, 0, rehearsal.Exiting))
		r.Dies(10, 11, 12)
		r.Replaces(rehearsal.Row(21, 20, 10, 5))
		r.Run()
		delete(r.Rows, 20)
		r.Replaces(rehearsal.Row(21, 1, 10, 5))
		r.Run()
		Expect(rehearsal.Links(tree)).To(Equal(map[int]string{21: "child of 20"}))
		r.Dies(21)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty))
	})

	DescribeTable("because of an error counts, and is tried again", func(flavour process.Forks) {
		r := rehearsal.New(flavour)
		r.Refused[11] = syscall.EMFILE
		tree := r.Track(10)
		r.Dies(10, 12)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Alive))
		delete(r.Refused, 11)
		r.Run()
		Expect(r.Watched).To(HaveKey(11))
		r.Dies(11)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty))
	}, rehearsal.EveryFlavour)

	DescribeTable("because of an error has no child that is missed when it is watched at last", func(flavour process.Forks) {
		r := rehearsal.New(flavour)
		r.Refused[11] = syscall.ENOMEM
		tree := r.Track(10)
		delete(r.Refused, 11)
		var watched time.Time
		r.BeforeAdd = func(pid int) {
			if pid == 11 { // whose fork is not announced
				r.Rows[20] = rehearsal.Row(20, 11, 20, 20)
				watched = r.Clock
			}
		}
		for watched.IsZero() {
			Expect(r.Follower.Step()).To(Succeed())
		}
		for rehearsal.Links(tree)[20] == "" {
			Expect(r.Follower.Step()).To(Succeed())
			Expect(r.Clock.Sub(watched)).To(BeNumerically("<", 50*time.Millisecond), "time enough to be orphaned")
		}
	}, Entry("where forks are announced", process.ForksAnnounced), Entry("where forks are named", process.ForksNamed))

	It("because of an error is looked at until it has gone", func() {
		r := rehearsal.New(process.ForksAnnounced)
		r.Refused[11] = syscall.ENOMEM
		tree := r.Track(10)
		r.Dies(10, 11, 12)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty))
	})

	It("because it died since the read is dead only when a read shows that", func() {
		r := rehearsal.New(process.ForksAnnounced)
		r.BeforeAdd = func(pid int) {
			if pid == 11 {
				delete(r.Rows, 11)
				r.Replaces(rehearsal.Row(20, 1, 11, 5)) // its child, until just now
			}
		}
		tree := r.Track(10)
		Expect(rehearsal.Links(tree)).To(Equal(map[int]string{
			10: "the root", 12: "child of 10", 20: "orphan in the group of 11"}))
	})
})

var _ = Describe("A process that is watched at last, after some refusals", func() {
	// The read after which it is watched may be any: one that finds the process,
	// one that settles the tree or the last of those.
	DescribeTable("has no child that is missed", func(flavour process.Forks) {
		for times := range 6 {
			refusals := times
			r := rehearsal.New(flavour)
			r.Refused[11] = syscall.ENOMEM
			tree, err := r.Follower.Track(10)
			Expect(err).NotTo(HaveOccurred())
			var watched time.Time
			r.BeforeAdd = func(pid int) {
				switch {
				case pid != 11:
				case refusals > 0:
					refusals--
				default:
					delete(r.Refused, 11)
					r.Rows[20] = rehearsal.Row(20, 11, 20, 20) // whose fork is not announced
					watched = r.Clock
					r.BeforeAdd = nil
				}
			}
			for watched.IsZero() {
				Expect(r.Follower.Step()).To(Succeed())
			}
			for !r.Knows(20) {
				Expect(r.Follower.Step()).To(Succeed())
				Expect(r.Clock.Sub(watched)).To(BeNumerically("<=", 2*r.Cost), "time enough to be orphaned")
			}
			Expect(r.Handle(tree).Members()).To(HaveLen(4))
		}
	}, Entry("where forks are announced", process.ForksAnnounced), Entry("where forks are named", process.ForksNamed))
})

var _ = Describe("A process whose first thread has ended", func() {
	It("is looked at until it has gone, since its end may not be announced", func() {
		r := rehearsal.New(process.ForksNamed)
		tree := r.Track(10)
		r.Replaces(rehearsal.Row(11, 10, 11, 5, headless))
		r.Posted = append(r.Posted, core.Notice{Lost: true}) // a reason to read
		r.Run()
		Expect(rehearsal.Links(tree)).To(HaveKey(11))
		delete(r.Rows, 11)
		r.HappensLater(2 * core.SlowBeat)
		Expect(rehearsal.Links(tree)).NotTo(HaveKey(11))
	})
})

func headless(p *process.Row) { p.Headless = true }
