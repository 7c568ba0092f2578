package tracker

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// A laggingKernel has a notice that ends no wait, as the buffer of the proc connector while
// its reader rests.
type laggingKernel struct {
	*crowdKernel
	late atomic.Pointer[core.Notice]
}

func (k *laggingKernel) Lags() bool { return k.late.Load() != nil }

func (k *laggingKernel) Next(notices []core.Notice, timeout time.Duration) ([]core.Notice, error) {
	if n := k.late.Swap(nil); n != nil {
		return append(notices, *n), nil
	}
	return k.crowdKernel.Next(notices, timeout)
}

var _ = Describe("A process that a member has just made", func() {
	It("is known to be of the tree, though the notice of the fork waits in the kernel", func(ctx SpecContext) {
		k := &laggingKernel{crowdKernel: newCrowdKernel(2)}
		root, child := k.rows[0], k.rows[1]
		k.rows = k.rows[:1]
		tracker := newTracker(k, slog.New(slog.DiscardHandler))
		defer tracker.Close()
		tree := testproc.Sure(ctx, func() (*Tree, error) {
			return tracker.Follow(context.Background(), root.Identity, trees.History{Fresh: true})
		})
		Expect(tree.Check(ctx)).To(Equal(trees.Alive))
		Eventually(ctx, k.idle).Should(Receive(), "the tracker waits")
		child.Parent = root.PID
		k.late.Store(&core.Notice{PID: root.PID, Events: process.Forked, Child: child.PID, Found: child})
		found, ok := tracker.TreeOf(child.PID)
		Expect(ok).To(BeTrue())
		Expect(found).To(BeIdenticalTo(tree))
	}, testproc.Patience)
})
