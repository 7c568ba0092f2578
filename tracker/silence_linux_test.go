package tracker

import (
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/internal/kernel"
	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// A deaf tracker never hears of some of what happens, and nothing tells it so. Its clock
// can be put forward.
type deafTracker struct {
	*Tracker
	kernel  *kernel.Kernel
	later   atomic.Int64
	dropped atomic.Int32
}

func newDeafTracker() *deafTracker {
	d := &deafTracker{kernel: testproc.Opened(kernel.Ways()[0].Open())}
	d.kernel.Inherit()
	d.misses(0, 0) // nothing yet, but no pidfd tells what is dropped later
	clock := func() time.Time { return time.Now().Add(time.Duration(d.later.Load())) }
	d.Tracker = trackerOf(core.NewFollower(d.kernel, os.Getpid(), clock), slog.New(slog.DiscardHandler))
	go d.run()
	DeferCleanup(d.Close)
	return d
}

// misses drops the messages that tell that a process did something.
func (d *deafTracker) misses(what process.Events, pid int) {
	d.kernel.Lose(func(happened process.Events, to, _ int) bool {
		if happened != what || to != pid {
			return false
		}
		d.dropped.Add(1)
		return true
	})
}

// looks lets the time of the next look of safety come.
func (d *deafTracker) looks() {
	d.later.Add(int64(core.SafetyBeat))
	d.kernel.Wake()
}

var _ = Describe("The proc connector that drops a message without a word", Label("linux", "connector"), func() {
	// family is a root that leads a group, and makes a leaf when gate 2 is opened.
	family := func() *testproc.Root {
		c := testproc.PerlCue(`wait_at(2); child { report("leaf $$"); wait_at(1) }; report("made $$"); wait_at(0)`)
		c.Sys = testproc.OwnGroup()
		return testproc.Lead(3, c)
	}

	// settled is the tree of a root, which is not read any more until a notice comes.
	settled := func(ctx SpecContext, d *deafTracker, r *testproc.Root) *Tree {
		tree := follow(ctx, d.Tracker, r.Pid)
		lives(ctx, tree, r.Oracle)
		return tree
	}

	It("about the fork of an orphan does not make the tree empty while that lives", func(ctx SpecContext) {
		d := newDeafTracker()
		r := family()
		tree := settled(ctx, d, r)
		ended := ends(ctx, tree, r.Oracle)
		d.misses(process.Forked, r.Pid)
		r.Open(2)
		leaf := r.Persons(2)["leaf"]
		r.Open(0)
		members(ctx, tree, leaf)
		Expect(tree.Members()[0].Link.Kind).To(Equal(trees.LinkGroup))
		lives(ctx, tree, r.Oracle)
		Expect(ended).NotTo(Receive())
		r.Open(1)
		Eventually(ctx, ended).Should(Receive(Equal(inTime)))
		Expect(d.dropped.Load()).To(BeNumerically("==", 1))
	}, testproc.Patience)

	It("is told of by what it can miss", func() {
		Expect(newDeafTracker().Capabilities().Misses).To(ContainSubstring("does not report because it has no memory"))
	})

	It("about a fork is made good by a look some minutes later", func(ctx SpecContext) {
		d := newDeafTracker()
		r := family()
		tree := settled(ctx, d, r)
		d.misses(process.Forked, r.Pid)
		r.Open(2)
		leaf := r.Persons(2)["leaf"]
		Eventually(ctx, d.dropped.Load).Should(BeNumerically("==", 1))
		members(ctx, tree, r.Pid)
		d.looks()
		members(ctx, tree, r.Pid, leaf)
	}, testproc.Patience)

	It("about the last exit is made good by a look some minutes later", func(ctx SpecContext) {
		d := newDeafTracker()
		r := testproc.Perl(1, `report("root $$"); wait_at(0)`)
		r.Persons(1)
		tree := settled(ctx, d, r)
		ended := ends(ctx, tree, r.Oracle)
		d.misses(process.Exited, r.Pid)
		r.Open(0)
		r.Reap()
		Eventually(ctx, d.dropped.Load).Should(BeNumerically("==", 1))
		members(ctx, tree, r.Pid)
		Expect(ended).NotTo(Receive())
		d.looks()
		Eventually(ctx, ended).Should(Receive(Equal(inTime)))
	}, testproc.Patience)
})
