//go:build darwin || linux

package tracker

import (
	"context"
	"log/slog"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/internal/kernel"
	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// withTracker has a container of specs for each mechanism of this system. The
// specs get what opens a tracker that uses it.
func withTracker(text string, specs func(open func() *Tracker), decorators ...any) bool {
	for _, m := range kernel.Ways() {
		Describe(text+", followed on "+m.Name, decorators, Label(m.Needs...), func() {
			specs(func() *Tracker {
				k := testproc.Opened(m.Open())
				t := newTracker(k, slog.New(slog.DiscardHandler))
				DeferCleanup(func() { Expect(t.Close()).To(Or(Succeed(), MatchError(ErrClosed))) })
				return t
			})
		})
	}
	return true
}

// follow tracks the tree of a process that has made nothing which the tracker cannot
// find: the spec answers for that.
func follow(ctx context.Context, t *Tracker, pid int) *Tree {
	GinkgoHelper()
	tree := testproc.Sure(ctx, func() (*Tree, error) { return t.Track(ctx, pid) })
	t.follower.Do(func(*core.Core) { tree.origin.late = false })
	return tree
}

// track tracks the tree of a process.
func track(ctx context.Context, t *Tracker, pid int) *Tree {
	GinkgoHelper()
	return testproc.Sure(ctx, func() (*Tree, error) { return t.Track(ctx, pid) })
}

// An ending is what Wait returned, and whether the oracle was held then.
type ending struct {
	err  error
	held bool
}

// inTime is how a wait ends: no process was left at that moment.
var inTime = ending{}

// ends waits for the end of a tree and asks the oracle right then.
func ends(ctx context.Context, t *Tree, o *testproc.Oracle) <-chan ending {
	ended := make(chan ending, 1)
	go func() {
		defer GinkgoRecover()
		err := t.Wait(ctx)
		ended <- ending{err, o.Held()}
	}()
	return ended
}

// lives expects the verdict of a settled tracker on a tree with a process that waits
// at a gate.
func lives(ctx context.Context, t *Tree, o *testproc.Oracle) {
	GinkgoHelper()
	Expect(o.Held()).To(BeTrue(), "the spec is wrong: no process lives")
	Expect(testproc.Sure(ctx, func() (trees.Verdict, error) { return t.Check(ctx) })).To(Equal(trees.Alive))
}

// members waits until the members of a tree are these.
func members(ctx context.Context, t *Tree, pids ...int) {
	GinkgoHelper()
	Eventually(ctx, func() (found []int) {
		for _, m := range t.Members() {
			found = append(found, m.PID)
		}
		return found
	}).Should(ConsistOf(pids))
}
