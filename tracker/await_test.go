package tracker

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("A wait that begins between the tracker's last step and its end", func() {
	DescribeTable("ends with the tracker", func(ctx SpecContext, wait func(context.Context, *Tree) error) {
		r := rehearse(process.ForksAnnounced)
		tree := r.track(10)
		changes(tree)
		ended, closed := make(chan error, 1), make(chan error, 1)
		go func() { ended <- wait(ctx, tree) }()
		Eventually(ctx, r.waiting).Should(Equal(1))
		go func() { closed <- r.tracker.Close() }()
		Eventually(ctx, r.tracker.failure).Should(MatchError(ErrClosed))
		r.tracker.run() // which takes no step any more
		Eventually(ctx, ended).Should(Receive(MatchError(ErrClosed)))
		Eventually(ctx, closed).Should(Receive(BeNil()))
	},
		Entry("for the end", func(ctx context.Context, t *Tree) error { return t.Wait(ctx) }, patience),
		Entry("for changes", func(ctx context.Context, t *Tree) error {
			_, err := t.Changes(ctx)
			return err
		}, patience),
	)
})

// waiting counts those who wait for something.
func (r *rehearsal) waiting() int {
	r.tracker.mu.Lock()
	defer r.tracker.mu.Unlock()
	return len(r.tracker.waiters)
}
