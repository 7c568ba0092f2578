//go:build darwin || linux

package tracker

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/internal/rehearsal"
	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

var _ = withTracker("A wait", func(open func() *Tracker) {
	// alive is a tree with a member that lives as long as the spec.
	alive := func(ctx SpecContext, tracker *Tracker) *Tree {
		r := testproc.Perl(1, `report("root $$"); wait_at(0)`)
		r.Persons(1)
		return follow(ctx, tracker, r.Pid)
	}
	waits := map[string]func(context.Context, *Tree) error{
		"for the end": func(ctx context.Context, t *Tree) error { return t.Wait(ctx) },
		"for changes": func(ctx context.Context, t *Tree) error {
			for { // the first are the present members
				if _, err := t.Changes(ctx); err != nil {
					return err
				}
			}
		},
	}
	for text, wait := range waits {
		begin := func(ctx context.Context, tree *Tree) <-chan error {
			done := make(chan error, 1)
			go func() { done <- wait(ctx, tree) }()
			return done
		}

		It(text+" ends with its context", func(ctx SpecContext) {
			limited, cancel := context.WithCancel(ctx)
			done := begin(limited, alive(ctx, open()))
			Expect(done).NotTo(Receive())
			cancel()
			Eventually(ctx, done).Should(Receive(MatchError(context.Canceled)))
		}, testproc.Patience)

		It(text+" ends with the tracker", func(ctx SpecContext) {
			tracker := open()
			done := begin(ctx, alive(ctx, tracker))
			Expect(tracker.Close()).To(Succeed())
			Eventually(ctx, done).Should(Receive(MatchError(ErrClosed)))
		}, testproc.Patience)

		It(text+" ends with the tree", func(ctx SpecContext) {
			tree := alive(ctx, open())
			done := begin(ctx, tree)
			Expect(tree.Close()).To(Succeed())
			Eventually(ctx, done, "10s").Should(Receive(MatchError(ErrClosed)))
		}, testproc.Patience)
	}

	It("for the verdict ends with its context", func(ctx SpecContext) {
		limited, cancel := context.WithCancel(ctx)
		cancel()
		v, err := alive(ctx, open()).Check(limited)
		Expect(v).To(Equal(trees.Unknown))
		Expect(err).To(MatchError(context.Canceled))
	}, testproc.Patience)

	It("finds nothing out for a context that has ended", func(ctx SpecContext) {
		tracker := open()
		r := testproc.Perl(1, `report("root $$"); wait_at(0)`)
		r.Persons(1)
		tree := follow(ctx, tracker, r.Pid)
		r.Open(0)
		Expect(tree.Wait(ctx)).To(Succeed())
		ended, cancel := context.WithCancel(ctx)
		cancel()
		Expect(tree.Wait(ended)).To(MatchError(context.Canceled), "though the tree is empty")
		Expect(tree.Changes(ended)).Error().To(MatchError(context.Canceled))
		Expect(tree.Check(ended)).Error().To(MatchError(context.Canceled))
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty), "as before")
		Expect(tree.Changes(ctx)).To(ContainElement(HaveField("Kind", trees.Emptied)), "and is still to be reported")
		Expect(testproc.Sure(ctx, func() (trees.Verdict, error) { return tree.Check(ctx) })).To(Equal(trees.Empty))
		var left []trees.Change
		tree.tracker.follower.Do(func(c *core.Core) { left = c.Changes(tree.tree) })
		Expect(left).To(BeEmpty(), "it was reported")
		r.Reap()
	}, testproc.Patience)

	It("is over before it begins for a tree that has ended", func(ctx SpecContext) {
		tree := alive(ctx, open())
		Expect(tree.Close()).To(Succeed())
		limited, cancel := context.WithTimeout(ctx, testproc.Limit/10)
		defer cancel()
		v, err := tree.Verdict()
		Expect(v).To(Equal(trees.Unknown))
		Expect(err).To(MatchError(ErrClosed))
		Expect(tree.Wait(limited)).To(MatchError(ErrClosed))
	}, testproc.Patience)
})
