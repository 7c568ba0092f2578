package tracker

import (
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

var _ = Describe("A process that cannot be watched", func() {
	DescribeTable("because it has begun to exit counts until it is a zombie or gone", func(end func(r *rehearsal)) {
		r := rehearse(process.ForksAnnounced)
		tree := r.track(10)
		r.appears(row(20, 10, 10, 0, exiting))
		r.dies(10, 11, 12)
		Expect(links(tree)).To(Equal(map[int]string{20: "child of 10"}))
		Expect(verdict(tree)).To(Equal(trees.Alive))
		end(r)
		Expect(verdict(tree)).To(Equal(trees.Empty))
	},
		Entry("a zombie", func(r *rehearsal) { r.replaces(row(20, 1, 10, 0, zombie)); r.run() }),
		Entry("gone", func(r *rehearsal) { delete(r.rows, 20); r.run() }),
	)

	It("because it has begun to exit may still make a child", func() {
		r := rehearse(process.ForksAnnounced)
		tree := r.track(10)
		r.appears(row(20, 10, 10, 0, exiting))
		r.dies(10, 11, 12)
		r.replaces(row(21, 20, 10, 5))
		r.run()
		delete(r.rows, 20)
		r.replaces(row(21, 1, 10, 5))
		r.run()
		Expect(links(tree)).To(Equal(map[int]string{21: "child of 20"}))
		r.dies(21)
		Expect(verdict(tree)).To(Equal(trees.Empty))
	})

	DescribeTable("because of an error counts, and is tried again", func(flavour process.Forks) {
		r := rehearse(flavour)
		r.refused[11] = syscall.EMFILE
		tree := r.track(10)
		r.dies(10, 12)
		Expect(verdict(tree)).To(Equal(trees.Alive))
		delete(r.refused, 11)
		r.run()
		Expect(r.watched).To(HaveKey(11))
		r.dies(11)
		Expect(verdict(tree)).To(Equal(trees.Empty))
	}, everyFlavour)

	DescribeTable("because of an error has no child that is missed when it is watched at last", func(flavour process.Forks) {
		r := rehearse(flavour)
		r.refused[11] = syscall.ENOMEM
		tree := r.track(10)
		delete(r.refused, 11)
		var watched time.Time
		r.beforeAdd = func(pid int) {
			if pid == 11 { // whose fork nobody is told of
				r.rows[20] = row(20, 11, 20, 20)
				watched = r.clock
			}
		}
		for watched.IsZero() {
			Expect(r.follower.Step()).To(Succeed())
		}
		for links(tree)[20] == "" {
			Expect(r.follower.Step()).To(Succeed())
			Expect(r.clock.Sub(watched)).To(BeNumerically("<", 50*time.Millisecond), "time enough to be orphaned")
		}
	}, Entry("where forks are announced", process.ForksAnnounced), Entry("where forks are named", process.ForksNamed))

	It("because of an error is looked at until it has gone", func() {
		r := rehearse(process.ForksAnnounced)
		r.refused[11] = syscall.ENOMEM
		tree := r.track(10)
		r.dies(10, 11, 12)
		Expect(verdict(tree)).To(Equal(trees.Empty))
	})

	It("because it died since the read is dead only when a read says so", func() {
		r := rehearse(process.ForksAnnounced)
		r.beforeAdd = func(pid int) {
			if pid == 11 {
				delete(r.rows, 11)
				r.replaces(row(20, 1, 11, 5)) // its child, until just now
			}
		}
		tree := r.track(10)
		Expect(links(tree)).To(Equal(map[int]string{
			10: "the root", 12: "child of 10", 20: "orphan in the group of 11"}))
	})
})

var _ = Describe("A process that is watched at last, after some refusals", func() {
	// The read after which it is watched may be any: one that finds the process,
	// one that settles the tree or the last of those.
	DescribeTable("has no child that is missed", func(flavour process.Forks) {
		for times := range 6 {
			refusals := times
			r := rehearse(flavour)
			r.refused[11] = syscall.ENOMEM
			tree, err := r.follower.Track(10)
			Expect(err).NotTo(HaveOccurred())
			var watched time.Time
			r.beforeAdd = func(pid int) {
				switch {
				case pid != 11:
				case refusals > 0:
					refusals--
				default:
					delete(r.refused, 11)
					r.rows[20] = row(20, 11, 20, 20) // whose fork nobody is told of
					watched = r.clock
					r.beforeAdd = nil
				}
			}
			for watched.IsZero() {
				Expect(r.follower.Step()).To(Succeed())
			}
			for r.follower.core.known[20] == nil {
				Expect(r.follower.Step()).To(Succeed())
				Expect(r.clock.Sub(watched)).To(BeNumerically("<=", 2*r.cost), "time enough to be orphaned")
			}
			Expect(tree.living).To(Equal(4))
		}
	}, Entry("where forks are announced", process.ForksAnnounced), Entry("where forks are named", process.ForksNamed))
})

var _ = Describe("A process whose first thread has ended", func() {
	It("is looked at until it has gone, since its end may be announced to nobody", func() {
		r := rehearse(process.ForksNamed)
		tree := r.track(10)
		r.replaces(row(11, 10, 11, 5, headless))
		r.posted = append(r.posted, seamNotice{Lost: true}) // a reason to read
		r.run()
		Expect(links(tree)).To(HaveKey(11))
		delete(r.rows, 11)
		r.happensLater(2 * slowBeat)
		Expect(links(tree)).NotTo(HaveKey(11))
	})
})

func headless(p *process.Row) { p.Headless = true }
