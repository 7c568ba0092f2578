package tracker

import (
	"log/slog"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/internal/kernel"
	"github.com/gemini-monitor/gemini/internal/testproc"
)

// A narrowKernel has the smallest room for events that Linux allows, and counts
// how often some were lost.
type narrowKernel struct {
	*kernel.Kernel
	lost atomic.Int32
}

func newNarrowKernel() *narrowKernel {
	k := testproc.Opened(kernel.Ways()[0].Open())
	Expect(k.NarrowBuffer()).To(Succeed())
	return &narrowKernel{Kernel: k}
}

func (k *narrowKernel) Next(notices []core.Notice, timeout time.Duration) ([]core.Notice, error) {
	before := len(notices)
	notices, err := k.Kernel.Next(notices, timeout)
	for _, n := range notices[before:] {
		if n.Lost {
			k.lost.Add(1)
		}
	}
	return notices, err
}

var _ = Describe("The proc connector", Label("linux", "connector"), func() {
	It("keeps all members although notices are lost", func(ctx SpecContext) {
		k := newNarrowKernel()
		tracker := newTracker(k, slog.New(slog.DiscardHandler))
		DeferCleanup(tracker.Close)
		c := testproc.PerlCue(`
			wait_at(2);
			for (1 .. 20) {
				my @children = map { child { } } 1 .. 100;
				waitpid $_, 0 for @children;
			}
			child { child { report("leaf $$"); wait_at(1) } };
			wait_at(0)
		`)
		c.Sys = testproc.OwnGroup()
		r := testproc.Lead(3, c)
		tree := follow(ctx, tracker, r.Pid)
		ended := ends(ctx, tree, r.Oracle)
		r.Open(2)
		_, leaf := r.Person()
		r.Open(0)
		members(ctx, tree, leaf)
		lives(ctx, tree, r.Oracle)
		Expect(ended).NotTo(Receive())
		r.Open(1)
		Eventually(ctx, ended).Should(Receive(Equal(inTime)))
		Expect(k.lost.Load()).NotTo(BeZero(), "nothing was lost, so nothing was shown")
	}, testproc.Patience)
})
