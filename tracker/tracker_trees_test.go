//go:build darwin || linux

package tracker

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = withTracker("Several trees", func(open func() *Tracker) {
	const alone = `report("root $$"); wait_at(0)`

	It("are distinguished and end one by one", func(ctx SpecContext) {
		tracker := open()
		var roots []*testproc.Root
		var trees []*Tree
		var ended []<-chan ending
		for i := range 5 {
			r := testproc.Perl(2, `child { report("child $$"); wait_at(1) }; wait_at(0)`)
			_, child := r.Person()
			tree := follow(ctx, tracker, r.Pid)
			members(ctx, tree, r.Pid, child)
			roots, trees = append(roots, r), append(trees, tree)
			ended = append(ended, ends(ctx, tree, r.Oracle))
			found, ok := tracker.TreeOf(child)
			Expect(ok).To(BeTrue())
			Expect(found.Root()).To(Equal(trees[i].Root()))
		}
		for _, i := range []int{3, 0, 4, 1, 2} {
			roots[i].Open(0)
			lives(ctx, trees[i], roots[i].Oracle)
			roots[i].Open(1)
			Eventually(ctx, ended[i]).Should(Receive(Equal(inTime)))
			Expect(tracker.TreeOf(roots[i].Pid)).To(BeNil())
		}
	}, testproc.Patience)

	It("may be one inside the other, and end inside first", func(ctx SpecContext) {
		tracker := open()
		r := testproc.Perl(3, `
			child {
				child { report("leaf $$"); wait_at(2) };
				report("inner $$"); wait_at(1)
			};
			wait_at(0)
		`)
		who := r.Persons(2)
		outer := follow(ctx, tracker, r.Pid)
		inner := follow(ctx, tracker, who["inner"])
		members(ctx, outer, r.Pid, who["inner"], who["leaf"])
		members(ctx, inner, who["inner"], who["leaf"])
		found, ok := tracker.TreeOf(who["leaf"])
		Expect(ok).To(BeTrue())
		Expect(found.Root().PID).To(Equal(who["inner"]))
		innerEnded, outerEnded := ends(ctx, inner, r.Oracle), ends(ctx, outer, r.Oracle)
		r.Open(1)
		members(ctx, inner, who["leaf"])
		lives(ctx, inner, r.Oracle)
		r.Open(2)
		Eventually(ctx, innerEnded).Should(Receive(Equal(ending{held: true}))) // by the root
		lives(ctx, outer, r.Oracle)
		r.Open(0)
		Eventually(ctx, outerEnded).Should(Receive(Equal(inTime)))
	}, testproc.Patience)

	It("may have the same root", func(ctx SpecContext) {
		tracker := open()
		r := testproc.Perl(1, alone)
		r.Persons(1)
		first, second := follow(ctx, tracker, r.Pid), follow(ctx, tracker, r.Pid)
		members(ctx, first, r.Pid)
		members(ctx, second, r.Pid)
		one, other := ends(ctx, first, r.Oracle), ends(ctx, second, r.Oracle)
		r.Open(0)
		Eventually(ctx, one).Should(Receive(Equal(inTime)))
		Eventually(ctx, other).Should(Receive(Equal(inTime)))
	}, testproc.Patience)

	It("may be followed by several trackers", func(ctx SpecContext) {
		r := testproc.Perl(1, alone)
		r.Persons(1)
		one := ends(ctx, follow(ctx, open(), r.Pid), r.Oracle)
		other := ends(ctx, follow(ctx, open(), r.Pid), r.Oracle)
		r.Open(0)
		Eventually(ctx, one).Should(Receive(Equal(inTime)))
		Eventually(ctx, other).Should(Receive(Equal(inTime)))
	}, testproc.Patience)
})

var _ = withTracker("A tree that is resumed", func(open func() *Tracker) {
	It("goes on without its root", func(ctx SpecContext) {
		r := testproc.Perl(4, `
			child {
				POSIX::setsid();
				child { report("leaf $$"); wait_at(2); child { report("late $$"); wait_at(3) } };
				report("middle $$"); wait_at(1)
			};
			wait_at(0)
		`)
		who := r.Persons(2)
		first := open()
		tree := follow(ctx, first, r.Pid)
		members(ctx, tree, r.Pid, who["middle"], who["leaf"])
		var known []process.Identity
		for _, m := range tree.Members() {
			known = append(known, m.Identity)
		}
		Expect(first.Close()).To(Succeed())

		// The root and the middle end while no tracker watches.
		r.Open(0)
		r.Reap()
		r.Open(1)
		Eventually(ctx, func() error { _, err := process.Lookup(who["middle"]); return err }).Should(MatchError(process.ErrGone))

		second := open()
		again := testproc.Sure(ctx, func() (*Tree, error) { return second.Resume(ctx, known[0], known) })
		members(ctx, again, who["leaf"])
		ended := ends(ctx, again, r.Oracle)
		lives(ctx, again, r.Oracle)
		r.Open(2)
		_, late := r.Person()
		members(ctx, again, late)
		lives(ctx, again, r.Oracle)
		Expect(ended).NotTo(Receive())
		r.Open(3)
		Eventually(ctx, ended).Should(Receive(Equal(inTime)))
	}, testproc.Patience)

	It("is empty when all members have gone meanwhile", func(ctx SpecContext) {
		r := testproc.Perl(1, `wait_at(0)`)
		id := testproc.Sure(ctx, func() (process.Process, error) { return process.Lookup(r.Pid) }).Identity
		r.Open(0)
		r.Reap()
		tracker := open()
		tree := testproc.Sure(ctx, func() (*Tree, error) { return tracker.Resume(ctx, id, nil) })
		Eventually(ctx, ends(ctx, tree, r.Oracle)).Should(Receive(Equal(inTime)))
	}, testproc.Patience)

	It("of another boot is empty, whichever processes have its PIDs now", func(ctx SpecContext) {
		c := testproc.PerlCue(`child { report("orphan $$"); wait_at(1) }; wait_at(0)`)
		c.Sys = testproc.OwnGroup()
		r := testproc.Lead(2, c)
		r.Person()
		id := testproc.Look(ctx, r.Pid).Identity
		id.Boot = "earlier"
		tracker := open()
		living := testproc.Sure(ctx, func() (*Tree, error) { return tracker.Resume(ctx, id, []process.Identity{id}) })
		Expect(living.Members()).To(BeEmpty())
		Expect(living.Wait(ctx)).To(Succeed())
		r.Open(0)
		r.Reap() // what is left of it is a group with its number
		dead := testproc.Sure(ctx, func() (*Tree, error) { return tracker.Resume(ctx, id, []process.Identity{id}) })
		Expect(dead.Members()).To(BeEmpty())
		Expect(dead.Wait(ctx)).To(Succeed())
	}, testproc.Patience)
})
