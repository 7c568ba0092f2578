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

// A stallingKernel ends a read when a spec lets it.
type stallingKernel struct {
	*laggingKernel
	reading chan struct{} // receives when the first read is under way
	ends    chan struct{} // each value ends one
}

func (k *stallingKernel) Read(rows []process.Row) ([]process.Row, time.Duration, error) {
	select {
	case k.reading <- struct{}{}:
	default:
	}
	<-k.ends
	return k.laggingKernel.Read(rows)
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

	It("is known after a Check that has ended early, though a read was under way at the call", func(ctx SpecContext) {
		k := &stallingKernel{&laggingKernel{crowdKernel: newCrowdKernel(2)}, make(chan struct{}, 1), make(chan struct{})}
		root, child := k.rows[0], k.rows[1]
		k.rows, child.Parent = k.rows[:1], root.PID
		tracker := newTracker(k, slog.New(slog.DiscardHandler))
		defer tracker.Close()
		defer close(k.ends)
		var tree *Tree
		Expect(tracker.call(func() {
			followed, err := tracker.follower.Track(root.PID)
			Expect(err).NotTo(HaveOccurred())
			tracker.follower.Do(func(*core.Core) { tree = tracker.handleOf(followed) })
		})).To(Succeed())
		waiting := func() int {
			tracker.mu.Lock()
			defer tracker.mu.Unlock()
			return len(tracker.commands)
		}
		Eventually(ctx, k.reading).Should(Receive())
		k.late.Store(&core.Notice{PID: root.PID, Events: process.Forked, Child: child.PID, Found: child})
		short, end := context.WithCancel(ctx)
		known := make(chan []trees.Member, 1)
		go func() {
			_, _ = tree.Check(short)
			known <- tree.Members()
		}()
		Eventually(ctx, waiting).Should(Equal(1))
		hold := make(chan struct{})
		go func() { _ = tracker.call(func() { <-hold }) }() // the tracker does nothing after Check has called
		defer close(hold)
		Eventually(ctx, waiting).Should(Equal(2))
		end()
		k.ends <- struct{}{}
		var members []trees.Member
		Eventually(ctx, known).Should(Receive(&members))
		Expect(members).To(ContainElement(HaveField("PID", child.PID)))
	}, testproc.Patience)
})
