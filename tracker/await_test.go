package tracker

import (
	"context"
	"log/slog"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/internal/rehearsal"
	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("A wait that begins between the tracker's last step and its end", func() {
	DescribeTable("ends with the tracker", func(ctx SpecContext, wait func(context.Context, *Tree) error) {
		r := rehearsal.New(process.ForksAnnounced)
		followed := r.Track(10)
		rehearsal.Changes(followed)
		tracker := quiet(r)
		tree := tracker.handleOf(followed.Tree)
		ended, closed := make(chan error, 1), make(chan error, 1)
		go func() { ended <- wait(ctx, tree) }()
		Eventually(ctx, waiting(tracker)).Should(Equal(1))
		go func() { closed <- tracker.Close() }()
		Eventually(ctx, tracker.failure).Should(MatchError(ErrClosed))
		tracker.run() // which takes no step any more
		Eventually(ctx, ended).Should(Receive(MatchError(ErrClosed)))
		Eventually(ctx, closed).Should(Receive(BeNil()))
	},
		Entry("for the end", func(ctx context.Context, t *Tree) error { return t.Wait(ctx) }, testproc.Patience),
		Entry("for changes", func(ctx context.Context, t *Tree) error {
			_, err := t.Changes(ctx)
			return err
		}, testproc.Patience),
	)
})

// quiet returns a tracker on the kernel of a rehearsal. It runs when the spec orders it.
func quiet(r *rehearsal.Rehearsal) *Tracker {
	return trackerOf(r.Follower, slog.New(slog.DiscardHandler))
}

// waiting counts the calls that wait for something.
func waiting(t *Tracker) func() int {
	return func() int {
		t.mu.Lock()
		defer t.mu.Unlock()
		return len(t.waiters)
	}
}

var _ = Describe("A step of the tracker", func() {
	DescribeTable("looks at the waits on the tree that it concerns, and at no others", func(forks process.Forks) {
		r := rehearsal.New(forks)
		r.Rows[30] = rehearsal.Row(30, 5, 30, 5)
		busy, resting := r.Track(10), r.Track(30)
		tracker := quiet(r)
		looks := make(map[*core.Tree]int)
		for _, tree := range []*rehearsal.Tree{busy, resting} {
			tracker.beginWait(&waiter{tree: tree.Tree, over: make(chan struct{}), condition: func(*core.Core) (bool, error) {
				looks[tree.Tree]++
				return false, nil
			}})
		}
		step := func() {
			Expect(r.Follower.Step()).To(Succeed())
			tracker.mu.Lock()
			defer tracker.mu.Unlock()
			tracker.endWaits()
		}
		step() // what the beginnings have touched
		clear(looks)
		r.Posted = append(r.Posted, core.Notice{PID: 77, Events: process.Exited})
		step()
		Expect(looks).To(BeEmpty(), "the notice is about a process that is no member")
		r.Dies(12)
		step()
		Expect(looks).To(HaveLen(1))
		Expect(looks[busy.Tree]).To(BeNumerically(">", 0))
	}, rehearsal.EveryFlavour)
})
