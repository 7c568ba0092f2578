package tracker

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

var _ = Describe("A PID that is used again", func() {
	another := row(11, 5, 5, 5, born(5000))

	It("between the read and the watch is no member", func() {
		r := rehearse(process.ForksAnnounced)
		r.beforeAdd = func(pid int) {
			if pid == 11 {
				r.replaces(another)
			}
		}
		tree := r.track(10)
		Expect(links(tree)).To(Equal(map[int]string{10: "the root", 12: "child of 10"}))
		Expect(r.watched).NotTo(HaveKey(11))
	})

	It("between the read and the watch by a relative is a new member", func() {
		r := rehearse(process.ForksAnnounced)
		later := row(11, 10, 10, 5, born(5000))
		r.beforeAdd = func(pid int) {
			if pid == 11 {
				r.replaces(later)
			}
		}
		tree := r.track(10)
		Expect(links(tree)).To(HaveKeyWithValue(11, "child of 10"))
		Expect(tree.Members()).To(ContainElement(HaveField("Identity", later.Identity)))
		Expect(tree.Members()).NotTo(ContainElement(HaveField("Identity", identity(11))))
		Expect(r.watched).To(HaveKeyWithValue(11, process.StartTime(5000)))
	})

	It("without any notice ends the member", func() {
		r := rehearse(process.ForksAnnounced)
		tree := r.track(10)
		changes(tree)
		r.replaces(another)
		r.appears(row(20, 10, 10, 5))
		Expect(links(tree)).NotTo(HaveKey(11))
		Expect(changes(tree)).To(ConsistOf("left 11", "joined 20"))
		Expect(r.watched).NotTo(HaveKey(11))
	})

	It("by a root is another tree, and is watched", func() {
		r := rehearse(process.ForksAnnounced)
		r.rows = map[int]process.Row{1: r.rows[1], 10: r.rows[10]}
		old := r.track(10)
		// The end of the old one is not announced yet when the new one is tracked.
		r.replaces(row(10, 1, 10, 10, born(5000)))
		tree := r.track(10)
		Expect(verdict(old)).To(Equal(trees.Empty))
		Expect(verdict(tree)).To(Equal(trees.Alive))
		Expect(r.watched).To(HaveKeyWithValue(10, process.StartTime(5000)))
		r.dies(10)
		Expect(verdict(tree)).To(Equal(trees.Empty))
	})
})

var _ = Describe("The PID of somebody long dead, where no read was needed since", func() {
	// strangers is a tree one member of which is dead. A stranger had the PID since,
	// created a group and died; all that is left of him is a child in that group.
	strangers := func() (*rehearsal, *followed) {
		r := rehearse(process.ForksNamed)
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

	It("links nobody when the tree is read anew", func() {
		r, tree := strangers()
		reads := r.reads
		r.follower.Do(func(c *core) { c.Recheck(tree.tree) })
		r.run()
		Expect(r.reads).To(BeNumerically(">", reads))
		Expect(verdict(tree)).To(Equal(trees.Alive))
		Expect(links(tree)).NotTo(HaveKey(30))
	})

	It("links nobody when notices were lost", func() {
		r, tree := strangers()
		r.posted = append(r.posted, seamNotice{Lost: true})
		r.run()
		Expect(links(tree)).NotTo(HaveKey(30))
	})

	It("links those whose group a member is still in", func() {
		r := rehearse(process.ForksNamed)
		tree := r.track(10)
		r.appears(row(20, 11, 11, 5))
		r.dies(11)
		r.rows[30] = row(30, 1, 11, 5)
		r.track(12)
		Expect(links(tree)).To(HaveKeyWithValue(30, "orphan in the group of 11"))
	})
})
