//go:build darwin || linux

package tracker

import (
	"context"
	"os"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/rehearsal"
	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

var _ = withTracker("A process from outside", func(open func() *Tracker) {
	join := func(ctx context.Context, tree *Tree, id process.Identity, strangers ...process.Identity) error {
		_, err := testproc.Insist(ctx, func() (struct{}, error) { return struct{}{}, tree.Join(ctx, id, strangers) })
		return err
	}

	It("that joins a tree keeps it alive, with what it makes then", func(ctx SpecContext) {
		r := testproc.Perl(1, `wait_at(0)`)
		g := testproc.Perl(3, `child { report("before $$"); wait_at(2) }; wait_at(0); child { report("after $$"); wait_at(1) }; wait_at(1)`)
		_, before := g.Person()
		tree := follow(ctx, open(), r.Pid)
		Expect(join(ctx, tree, testproc.Look(ctx, g.Pid).Identity, testproc.Look(ctx, before).Identity)).To(Succeed())
		Expect(rehearsal.Links(tree)).To(HaveKeyWithValue(g.Pid, "joined from outside"))
		g.Open(0)
		_, after := g.Person()
		r.Open(0)
		r.Reap()
		members(ctx, tree, g.Pid, after)
		Expect(testproc.Sure(ctx, func() (trees.Verdict, error) { return tree.Check(ctx) })).To(Equal(trees.Alive))
		g.Open(1)
		Expect(tree.Wait(ctx)).To(Succeed(), "what it had made before lives on")
		Expect(testproc.Look(ctx, before).State).NotTo(Equal(process.Zombie))
		g.Open(2)
		g.Reap()
	}, testproc.Patience)

	It("is refused by a tree without a live member, and where it is dead or the tracker's own", func(ctx SpecContext) {
		r, g := testproc.Perl(1, `wait_at(0)`), testproc.Perl(1, `wait_at(0)`)
		guest := testproc.Look(ctx, g.Pid).Identity
		tracker := open()
		tree := follow(ctx, tracker, r.Pid)
		Expect(tree.Join(ctx, testproc.Look(ctx, os.Getpid()).Identity, nil)).To(MatchError(ErrSelf))
		r.Open(0)
		r.Reap()
		Expect(tree.Wait(ctx)).To(Succeed())
		Expect(join(ctx, tree, guest)).To(MatchError(ErrVacant))
		other := testproc.Perl(1, `wait_at(0)`)
		living := follow(ctx, tracker, other.Pid)
		g.Open(0)
		g.Reap()
		Expect(join(ctx, living, guest)).To(MatchError(process.ErrGone))
		other.Open(0)
		other.Reap()
	}, testproc.Patience)
})
