//go:build darwin || linux

package tracker

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

var _ = withTracker("The place of a process", func(open func() *Tracker) {
	const family = `child { report("child $$"); wait_at(1) }; wait_at(0); child { report("late $$"); wait_at(1) }; wait_at(1)`

	It("is found while a step of the tracker holds its lock", func(ctx SpecContext) {
		tracker := open()
		r := testproc.Perl(2, family)
		_, child := r.Person()
		outer := follow(ctx, tracker, r.Pid)
		inner := follow(ctx, tracker, child)
		tracker.follower.Do(func(*core.Core) {
			found, ok := tracker.TreeOf(child)
			Expect(ok).To(BeTrue())
			Expect(found).To(BeIdenticalTo(inner))
			around, ok := found.Around()
			Expect(ok).To(BeTrue())
			Expect(around).To(BeIdenticalTo(outer))
			_, ok = around.Around()
			Expect(ok).To(BeFalse())
			Expect(tracker.PlaceOf(child).Identity().PID).To(Equal(child))
		})
		before := tracker.PlaceOf(r.Pid)
		Expect(inner.Close()).To(Succeed())
		Expect(tracker.PlaceOf(r.Pid) == before).To(BeTrue(), "nothing has become of it")
		found, _ := tracker.PlaceOf(child).Tree()
		Expect(found).To(BeIdenticalTo(outer))
	}, testproc.Patience)

	It("of a process that is none of the tree's, though its parent is, says so", func(ctx SpecContext) {
		tracker := open()
		r := testproc.Perl(2, family)
		_, child := r.Person()
		root := testproc.Look(ctx, r.Pid).Identity
		testproc.Sure(ctx, func() (*Tree, error) {
			return tracker.Follow(ctx, root, trees.History{Members: []process.Identity{root}, Fresh: true})
		})
		place := tracker.PlaceOf(child)
		Expect(place.Known()).To(BeTrue())
		_, ok := place.Tree()
		Expect(ok).To(BeFalse())
		Expect(tracker.PlaceOf(1).Known()).To(BeFalse())
		Expect(tracker.PlaceOf(-1).Known()).To(BeFalse())
	}, testproc.Patience)

	It("is there when the tracker has caught up", func(ctx SpecContext) {
		tracker := open()
		r := testproc.Perl(2, family)
		r.Person()
		tree := follow(ctx, tracker, r.Pid)
		r.Open(0)
		_, late := r.Person()
		Expect(tracker.CatchUp(ctx)).To(Succeed())
		found, ok := tracker.PlaceOf(late).Tree()
		Expect(ok).To(BeTrue())
		Expect(found).To(BeIdenticalTo(tree))
		over, cancel := context.WithCancel(ctx)
		cancel()
		Expect(tracker.CatchUp(over)).To(Or(Succeed(), MatchError(context.Canceled)))
		Expect(tracker.Close()).To(Succeed())
		Expect(tracker.CatchUp(ctx)).To(MatchError(ErrClosed))
	}, testproc.Patience)
})
