//go:build darwin || linux

package tracker

import (
	"context"
	"os"
	"os/exec"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/rehearsal"
	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

var _ = withTracker("Tracking", func(open func() *Tracker) {
	It("is refused for a process that is dead", func(ctx SpecContext) {
		r := testproc.Perl(1, `wait_at(0)`)
		r.Open(0)
		Eventually(ctx, r.Oracle.Held).Should(BeFalse())
		tracker := open()
		track := func() error {
			_, err := tracker.Track(ctx, r.Pid)
			return err
		}
		// Its descriptors are closed a moment before it is a zombie.
		Eventually(ctx, track).Should(MatchError(process.ErrGone))
		r.Reap()
		Eventually(ctx, track).Should(MatchError(process.ErrGone))
		Expect(tracker.TreeOf(r.Pid)).To(BeNil())
	}, testproc.Patience)

	DescribeTable("is refused for what is no process", func(ctx SpecContext, pid int) {
		tracker := open()
		_, err := testproc.Insist(ctx, func() (*Tree, error) { return tracker.Track(ctx, pid) })
		Expect(err).To(MatchError(process.ErrGone))
	},
		Entry("PID 0", testproc.Patience, 0),
		Entry("PID -1", testproc.Patience, -1),
		Entry("a PID beyond all limits", testproc.Patience, 1<<30),
	)

	It("never counts the process that it runs in", func(ctx SpecContext) {
		tracker := open()
		Expect(tracker.Track(ctx, os.Getpid())).Error().To(MatchError(ErrSelf))
		// An ancestor of ourselves, and the ancestor of all.
		for _, pid := range []int{os.Getppid(), 1} {
			tree := follow(ctx, tracker, pid)
			Expect(tree.Members()).NotTo(ContainElement(HaveField("PID", os.Getpid())), "in the tree of %d", pid)
			_, ok := tracker.TreeOf(os.Getpid())
			Expect(ok).To(BeFalse(), "in the tree of %d", pid)
		}
	}, testproc.Patience)

	It("follows an ancestor of ourselves", func(ctx SpecContext) {
		tree := follow(ctx, open(), os.Getppid())
		Expect(tree.Members()).To(ContainElement(HaveField("PID", os.Getppid())))
		Expect(testproc.Sure(ctx, func() (trees.Verdict, error) { return tree.Check(ctx) })).To(Equal(trees.Alive))
	}, testproc.Patience)

	It("follows init, which never ends", func(ctx SpecContext) {
		r := testproc.Perl(2, `child { report("orphan $$"); wait_at(1) }; wait_at(0)`)
		_, orphan := r.Person()
		tree := follow(ctx, open(), 1)
		Expect(tree.Members()).To(ContainElement(HaveField("PID", 1)))
		r.Open(0)
		r.Reap()
		if p, err := process.Lookup(orphan); err == nil && p.Parent == 1 { // no sub-reaper took it
			// The whole machine is this tree: where processes fork all the time it is
			// never settled, and Check would not return.
			Eventually(ctx, tree.Members).Should(ContainElement(HaveField("PID", orphan)))
		}
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Alive))
	}, testproc.Patience)

	It("leaves nothing when its context has ended", func(ctx SpecContext) {
		ended, cancel := context.WithCancel(ctx)
		cancel()
		r := testproc.Perl(1, `report("root $$"); wait_at(0)`)
		r.Persons(1)
		tracker := open()
		Expect(tracker.Track(ended, r.Pid)).Error().To(MatchError(context.Canceled))
		_, followed := tracker.TreeOf(r.Pid)
		Expect(followed).To(BeFalse())
		r.Open(0)
		r.Reap()
	}, testproc.Patience)
})

var _ = withTracker("A PID that is used again", func(open func() *Tracker) {
	It("is no member, and not the root", Label("reuse"), func(ctx SpecContext) {
		r := testproc.Perl(2, `child { report("child $$"); wait_at(1) }; wait_at(0)`)
		_, child := r.Person()
		tracker := open()
		tree := follow(ctx, tracker, r.Pid)
		ended := ends(ctx, tree, r.Oracle)
		r.Open(0)
		r.Reap()
		exit, err := testproc.ReusePID(r.Pid)
		if err != nil {
			Skip("PIDs cannot be re-used here: " + err.Error())
		}
		Expect(exit).NotTo(BeNil())
		members(ctx, tree, child)
		Expect(testproc.Look(ctx, r.Pid).Identity).NotTo(Equal(tree.Root()))

		another := follow(ctx, tracker, r.Pid)
		Expect(another.Root()).To(Equal(testproc.Look(ctx, r.Pid).Identity))
		members(ctx, another, r.Pid)
		lives(ctx, tree, r.Oracle)
		members(ctx, tree, child)
		r.Open(1)
		Eventually(ctx, ended).Should(Receive(Equal(inTime)))
		Expect(testproc.Sure(ctx, func() (trees.Verdict, error) { return another.Check(ctx) })).To(Equal(trees.Alive))
		exit()
		Expect(another.Wait(ctx)).To(Succeed())
	}, testproc.Patience)
})

var _ = withTracker("A tracker that is closed", func(open func() *Tracker) {
	It("returns that as the error of every call", func(ctx SpecContext) {
		tracker := open()
		r := testproc.Perl(1, `report("root $$"); wait_at(0)`)
		r.Persons(1)
		tree := follow(ctx, tracker, r.Pid)
		Expect(tracker.Close()).To(Succeed())
		Expect(tracker.Close()).To(MatchError(ErrClosed))
		_, err := tracker.Track(ctx, r.Pid)
		Expect(err).To(MatchError(ErrClosed))
		_, err = tracker.Resume(ctx, tree.Root(), nil)
		Expect(err).To(MatchError(ErrClosed))
		v, err := tree.Verdict()
		Expect(v).To(Equal(trees.Unknown))
		Expect(err).To(MatchError(ErrClosed))
		v, err = tree.Check(ctx)
		Expect(v).To(Equal(trees.Unknown))
		Expect(err).To(MatchError(ErrClosed))
		Expect(tree.Close()).To(Succeed())
	}, testproc.Patience)

	It("may be closed while others ask it", func(ctx SpecContext) {
		r := testproc.Perl(1, `report("root $$"); wait_at(0)`)
		r.Persons(1)
		for range 20 {
			tracker := open()
			asked := make(chan error, 3)
			for range cap(asked) {
				go func() {
					_, err := tracker.Track(ctx, r.Pid)
					asked <- err
				}()
			}
			Expect(tracker.Close()).To(Succeed())
			for range cap(asked) {
				var err error
				Eventually(ctx, asked).Should(Receive(&err))
				if !testproc.Faulty && err != nil {
					Expect(err).To(MatchError(ErrClosed))
				}
			}
		}
	}, testproc.Patience)
})

var _ = Describe("A tracker whose kernel fails", func() {
	It("leaves everything unknown, and returns why", func(ctx SpecContext) {
		r := rehearsal.New(process.ForksAnnounced)
		tracker := quiet(r)
		tree := tracker.handleOf(r.Track(10).Tree)
		r.Broken = exec.ErrNotFound // any error
		go tracker.run()
		Expect(tree.Wait(ctx)).To(MatchError(exec.ErrNotFound))
		v, err := tree.Verdict()
		Expect(v).To(Equal(trees.Unknown))
		Expect(err).To(MatchError(exec.ErrNotFound))
		_, err = tracker.Track(ctx, 10)
		Expect(err).To(MatchError(exec.ErrNotFound))
		Expect(tracker.Close()).To(Succeed())
	}, testproc.Patience)
})
