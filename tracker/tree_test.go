//go:build darwin || linux

package tracker

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/testproc"
)

// In the scripts gate 0 is the root's, gate 1 the one of its child, and so on
// down the line.
var _ = withTracker("A tree", func(open func() *Tracker) {
	It("is empty when its only process has ended, though no process has reaped it", func(ctx SpecContext) {
		r := testproc.Perl(1, `report("root $$"); wait_at(0)`)
		r.Persons(1)
		tree := follow(ctx, open(), r.Pid)
		ended := ends(ctx, tree, r.Oracle)
		lives(ctx, tree, r.Oracle)
		r.Open(0)
		Eventually(ctx, ended).Should(Receive(Equal(inTime)))
		Expect(tree.Members()).To(BeEmpty())
	}, testproc.Patience)

	It("is empty when its only process was killed", func(ctx SpecContext) {
		r := testproc.Perl(1, `report("root $$"); wait_at(0)`)
		r.Persons(1)
		tree := follow(ctx, open(), r.Pid)
		Expect(r.Kill()).To(Succeed())
		Eventually(ctx, ends(ctx, tree, r.Oracle)).Should(Receive(Equal(inTime)))
	}, testproc.Patience)

	DescribeTable("lives until the last of three generations has ended", func(ctx SpecContext, order []int) {
		r := testproc.Perl(3, `
			child {
				child { report("grandchild $$"); wait_at(2) };
				report("child $$"); wait_at(1)
			};
			report("root $$"); wait_at(0)
		`)
		family := r.Persons(3)
		generations := []int{family["root"], family["child"], family["grandchild"]}
		tree := follow(ctx, open(), r.Pid)
		ended := ends(ctx, tree, r.Oracle)
		left := map[int]bool{0: true, 1: true, 2: true}
		for _, generation := range order {
			lives(ctx, tree, r.Oracle)
			Expect(ended).NotTo(Receive())
			delete(left, generation)
			r.Open(generation)
			var pids []int
			for who := range left {
				pids = append(pids, generations[who])
			}
			members(ctx, tree, pids...)
		}
		Eventually(ctx, ended).Should(Receive(Equal(inTime)))
	},
		Entry("from above", testproc.Patience, []int{0, 1, 2}),
		Entry("from below", testproc.Patience, []int{2, 1, 0}),
		Entry("the middle first", testproc.Patience, []int{1, 2, 0}),
		Entry("the middle last", testproc.Patience, []int{0, 2, 1}),
		Entry("the root in between", testproc.Patience, []int{1, 0, 2}),
	)

	DescribeTable("keeps an orphan", func(ctx SpecContext, middle, leaf string) {
		r := testproc.Perl(4, `
			wait_at(3);
			child {
				`+middle+`;
				child { `+leaf+`; report("leaf $$"); wait_at(2) };
				wait_at(1)
			};
			wait_at(0)
		`)
		tree := follow(ctx, open(), r.Pid)
		ended := ends(ctx, tree, r.Oracle)
		r.Open(3) // all of this happens while the tree is followed
		_, pid := r.Person()
		Eventually(ctx, tree.Members).Should(ContainElement(HaveField("PID", pid)))
		r.Open(1)
		Eventually(ctx, tree.Members).Should(HaveLen(2))
		r.Open(0)
		members(ctx, tree, pid)
		lives(ctx, tree, r.Oracle)
		Expect(ended).NotTo(Receive())
		r.Open(2)
		Eventually(ctx, ended).Should(Receive(Equal(inTime)))
	},
		Entry("in the group of its ancestors", testproc.Patience, ``, ``),
		Entry("in a group of its own", testproc.Patience, ``, `setpgrp`),
		Entry("in a session of its own", testproc.Patience, ``, `POSIX::setsid()`),
		Entry("in the group of its dead parent", testproc.Patience, `setpgrp`, ``),
		Entry("in the session of its dead parent", testproc.Patience, `POSIX::setsid()`, `setpgrp`),
	)

	It("keeps an orphan that no read showed with its parent, in the group of a member", func(ctx SpecContext) {
		c := testproc.PerlCue(`
			wait_at(2);
			if (!fork) {
				for (1 .. 20) { POSIX::_exit(0) if fork }
				report("leaf $$"); wait_at(1); exit
			}
			wait_at(0)
		`)
		c.Sys = testproc.OwnGroup()
		r := testproc.Lead(3, c)
		tree := follow(ctx, open(), r.Pid)
		ended := ends(ctx, tree, r.Oracle)
		r.Open(2)
		_, pid := r.Person()
		r.Open(0)
		members(ctx, tree, pid)
		lives(ctx, tree, r.Oracle)
		Expect(ended).NotTo(Receive())
		r.Open(1)
		Eventually(ctx, ended).Should(Receive(Equal(inTime)))
	}, testproc.Patience)
})
