//go:build darwin || linux

package tracker

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// wakes has a tree notify a channel, which has room for one wake.
func wakes(t *Tree) <-chan struct{} {
	woken := make(chan struct{}, 1)
	t.Notify(func() {
		select {
		case woken <- struct{}{}:
		default:
		}
	})
	return woken
}

var _ = withTracker("A tree that notifies", func(open func() *Tracker) {
	kinds := func(tree *Tree) (kinds []trees.ChangeKind) {
		GinkgoHelper()
		changes, err := tree.Pending()
		Expect(err).NotTo(HaveOccurred())
		for _, c := range changes {
			kinds = append(kinds, c.Kind)
		}
		return kinds
	}

	It("wakes for each change, and has it pending once", func(ctx SpecContext) {
		r := testproc.Perl(2, `report("root $$"); wait_at(0); child { report("child $$"); wait_at(1) }; wait`)
		r.Persons(1)
		tree := follow(ctx, open(), r.Pid)
		woken := wakes(tree)
		Expect(kinds(tree)).To(Equal([]trees.ChangeKind{trees.Joined}))
		Expect(kinds(tree)).To(BeEmpty())
		var all []trees.ChangeKind
		takes := func() []trees.ChangeKind {
			select {
			case <-woken:
				all = append(all, kinds(tree)...)
			default:
			}
			return all
		}
		r.Open(0)
		Eventually(ctx, takes).Should(Equal([]trees.ChangeKind{trees.Joined}))
		r.Open(1)
		Eventually(ctx, takes).Should(HaveLen(4))
		Expect(all[1:]).To(Equal([]trees.ChangeKind{trees.Left, trees.Left, trees.Emptied}))
	}, testproc.Patience)

	It("wakes when the tracker ends, and not after its own Close", func(ctx SpecContext) {
		t := open()
		r := testproc.Perl(1, `report("root $$"); wait_at(0)`)
		r.Persons(1)
		tree, closed := follow(ctx, t, r.Pid), follow(ctx, t, r.Pid)
		silent := wakes(closed)
		Expect(closed.Close()).To(Succeed())
		kinds(tree)
		woken := wakes(tree)
		Expect(t.Close()).To(Succeed())
		Expect(woken).To(Receive(), "before Close returns")
		Expect(tree.Pending()).Error().To(MatchError(ErrClosed))
		Expect(silent).NotTo(Receive())
	}, testproc.Patience)
})
