//go:build darwin || linux

package tracker

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

var _ = withTracker("A tree whose root has made no member yet", func(open func() *Tracker) {
	It("does not count the child that the root has, and counts those that it makes", func(ctx SpecContext) {
		c := testproc.PerlCue(`child { report("before $$"); wait_at(1) }; wait_at(2);
			child { report("leaf $$"); wait_at(3) }; wait_at(0)`)
		c.Sys = testproc.OwnGroup()
		r := testproc.Lead(4, c)
		before := r.Persons(1)["before"]
		t := open()
		root := testproc.Look(ctx, r.Pid).Identity
		tree := testproc.Sure(ctx, func() (*Tree, error) { return t.Follow(ctx, root, trees.History{Fresh: true}) })
		members(ctx, tree, r.Pid)
		Expect(tree.Strangers()).To(ContainElement(testproc.Look(ctx, before).Identity))
		r.Open(2)
		leaf := r.Persons(1)["leaf"]
		members(ctx, tree, r.Pid, leaf)
		r.Open(0)
		members(ctx, tree, leaf)
		lives(ctx, tree, r.Oracle)
		r.Open(3)
		Expect(tree.Wait(ctx)).To(Succeed())
		Expect(r.Oracle.Held()).To(BeTrue(), "the spec proves nothing: the child has ended")
	}, testproc.Patience)
})
