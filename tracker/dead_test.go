package tracker

import (
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("The PID of somebody long dead, where no read was needed since", func() {
	// strangers is a tree one member of which is dead. A stranger had the PID since,
	// created a group and died; all that is left of him is a child in that group.
	strangers := func() (*rehearsal, *Tree) {
		r := rehearse(ForksNamed)
		tree := r.track(10)
		r.appears(row(20, 10, 10, 5))
		r.dies(20) // and after him the dead stay until there are many
		r.dies(11)
		r.rows[30] = row(30, 1, 11, 30, born(9000))
		return r, tree
	}

	It("links nobody when another tree begins", func() {
		r, tree := strangers()
		r.track(12)
		Expect(links(tree)).NotTo(HaveKey(30))
	})

	It("links nobody when the tree is looked at", func(ctx SpecContext) {
		r, tree := strangers()
		go r.tracker.run()
		Expect(tree.Check(ctx)).To(Equal(Alive))
		Expect(links(tree)).NotTo(HaveKey(30))
		Expect(r.tracker.Close()).To(Succeed())
	}, patience)

	It("links nobody when notices were lost", func() {
		r, tree := strangers()
		r.posted = append(r.posted, Notice{Lost: true})
		r.run()
		Expect(links(tree)).NotTo(HaveKey(30))
	})

	It("links those whose group a member is still in", func() {
		r := rehearse(ForksNamed)
		tree := r.track(10)
		r.appears(row(20, 11, 11, 5))
		r.dies(11)
		r.rows[30] = row(30, 1, 11, 5)
		r.track(12)
		Expect(links(tree)).To(HaveKeyWithValue(30, "orphan in the group of 11"))
	})
})

var _ = Describe("A process whose first thread has ended", func() {
	It("is looked at until it has gone, since its end may be announced to nobody", func() {
		r := rehearse(ForksNamed)
		tree := r.track(10)
		r.replaces(row(11, 10, 11, 5, headless))
		r.posted = append(r.posted, Notice{Lost: true}) // a reason to read
		r.run()
		Expect(links(tree)).To(HaveKey(11))
		delete(r.rows, 11)
		r.happensLater(2 * slowBeat)
		Expect(links(tree)).NotTo(HaveKey(11))
	})
})

func headless(p *Process) { p.headless = true }

var _ = Describe("A process that is watched at last, after some refusals", func() {
	// The read after which it is watched may be any: one that finds the process,
	// one that settles the tree or the last of those.
	DescribeTable("has no child that is missed", func(flavour Forks) {
		for times := range 6 {
			refusals := times
			r := rehearse(flavour)
			r.refused[11] = syscall.ENOMEM
			tree, err := r.tracker.follower.track(10)
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
				Expect(r.tracker.follower.step()).To(Succeed())
			}
			for r.tracker.follower.core.known[20] == nil {
				Expect(r.tracker.follower.step()).To(Succeed())
				Expect(r.clock.Sub(watched)).To(BeNumerically("<=", 2*r.cost), "time enough to be orphaned")
			}
			Expect(tree.living).To(Equal(4))
		}
	}, Entry("where forks are announced", ForksAnnounced), Entry("where forks are named", ForksNamed))
})
