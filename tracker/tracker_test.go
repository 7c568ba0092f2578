//go:build darwin || linux

package tracker

import (
	"context"
	"os"
	"os/exec"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = withTracker("Several trees", func(open func() *Tracker) {
	const alone = `report("root $$"); wait_at(0)`

	It("are told apart and end one by one", func(ctx SpecContext) {
		tracker := open()
		var roots []*root
		var trees []*Tree
		var ended []<-chan ending
		for i := range 5 {
			r := perl(2, `child { report("child $$"); wait_at(1) }; wait_at(0)`)
			_, child := r.person()
			tree := follow(ctx, tracker, r.Pid)
			members(ctx, tree, r.Pid, child)
			roots, trees = append(roots, r), append(trees, tree)
			ended = append(ended, ends(ctx, tree, r.oracle))
			found, ok := tracker.TreeOf(child)
			Expect(ok).To(BeTrue())
			Expect(found.Root()).To(Equal(trees[i].Root()))
		}
		for _, i := range []int{3, 0, 4, 1, 2} {
			roots[i].open(0)
			lives(ctx, trees[i], roots[i].oracle)
			roots[i].open(1)
			Eventually(ctx, ended[i]).Should(Receive(Equal(inTime)))
			Expect(tracker.TreeOf(roots[i].Pid)).To(BeNil())
		}
	}, patience)

	It("may be one inside the other, and end inside first", func(ctx SpecContext) {
		tracker := open()
		r := perl(3, `
			child {
				child { report("leaf $$"); wait_at(2) };
				report("inner $$"); wait_at(1)
			};
			wait_at(0)
		`)
		who := r.persons(2)
		outer := follow(ctx, tracker, r.Pid)
		inner := follow(ctx, tracker, who["inner"])
		members(ctx, outer, r.Pid, who["inner"], who["leaf"])
		members(ctx, inner, who["inner"], who["leaf"])
		found, ok := tracker.TreeOf(who["leaf"])
		Expect(ok).To(BeTrue())
		Expect(found.Root().PID).To(Equal(who["inner"]))
		innerEnded, outerEnded := ends(ctx, inner, r.oracle), ends(ctx, outer, r.oracle)
		r.open(1)
		members(ctx, inner, who["leaf"])
		lives(ctx, inner, r.oracle)
		r.open(2)
		Eventually(ctx, innerEnded).Should(Receive(Equal(ending{held: true}))) // by the root
		lives(ctx, outer, r.oracle)
		r.open(0)
		Eventually(ctx, outerEnded).Should(Receive(Equal(inTime)))
	}, patience)

	It("may have the same root", func(ctx SpecContext) {
		tracker := open()
		r := perl(1, alone)
		r.persons(1)
		first, second := follow(ctx, tracker, r.Pid), follow(ctx, tracker, r.Pid)
		members(ctx, first, r.Pid)
		members(ctx, second, r.Pid)
		one, other := ends(ctx, first, r.oracle), ends(ctx, second, r.oracle)
		r.open(0)
		Eventually(ctx, one).Should(Receive(Equal(inTime)))
		Eventually(ctx, other).Should(Receive(Equal(inTime)))
	}, patience)

	It("may be followed by several trackers", func(ctx SpecContext) {
		r := perl(1, alone)
		r.persons(1)
		one := ends(ctx, follow(ctx, open(), r.Pid), r.oracle)
		other := ends(ctx, follow(ctx, open(), r.Pid), r.oracle)
		r.open(0)
		Eventually(ctx, one).Should(Receive(Equal(inTime)))
		Eventually(ctx, other).Should(Receive(Equal(inTime)))
	}, patience)
})

var _ = withTracker("A tree that is resumed", func(open func() *Tracker) {
	It("goes on without its root", func(ctx SpecContext) {
		r := perl(4, `
			child {
				POSIX::setsid();
				child { report("leaf $$"); wait_at(2); child { report("late $$"); wait_at(3) } };
				report("middle $$"); wait_at(1)
			};
			wait_at(0)
		`)
		who := r.persons(2)
		first := open()
		tree := follow(ctx, first, r.Pid)
		members(ctx, tree, r.Pid, who["middle"], who["leaf"])
		var known []Identity
		for _, m := range tree.Members() {
			known = append(known, m.Identity)
		}
		Expect(first.Close()).To(Succeed())

		// While nobody watches the root and the middle end.
		r.open(0)
		r.reap()
		r.open(1)
		Eventually(ctx, func() error { _, err := Lookup(who["middle"]); return err }).Should(MatchError(ErrGone))

		second := open()
		again := sure(ctx, func() (*Tree, error) { return second.Resume(ctx, known[0], known) })
		members(ctx, again, who["leaf"])
		ended := ends(ctx, again, r.oracle)
		lives(ctx, again, r.oracle)
		r.open(2)
		_, late := r.person()
		members(ctx, again, late)
		lives(ctx, again, r.oracle)
		Expect(ended).NotTo(Receive())
		r.open(3)
		Eventually(ctx, ended).Should(Receive(Equal(inTime)))
	}, patience)

	It("is empty when everybody has gone meanwhile", func(ctx SpecContext) {
		r := perl(1, `wait_at(0)`)
		id := sure(ctx, func() (Process, error) { return Lookup(r.Pid) }).Identity
		r.open(0)
		r.reap()
		tracker := open()
		tree := sure(ctx, func() (*Tree, error) { return tracker.Resume(ctx, id, nil) })
		Eventually(ctx, ends(ctx, tree, r.oracle)).Should(Receive(Equal(inTime)))
	}, patience)

	It("of another boot is empty, whoever has its PIDs now", func(ctx SpecContext) {
		c := perlCue(`child { report("orphan $$"); wait_at(1) }; wait_at(0)`)
		c.sys = ownGroup()
		r := lead(2, c)
		r.person()
		id := look(ctx, r.Pid).Identity
		id.Boot = "earlier"
		tracker := open()
		living := sure(ctx, func() (*Tree, error) { return tracker.Resume(ctx, id, []Identity{id}) })
		Expect(living.Members()).To(BeEmpty())
		Expect(living.Wait(ctx)).To(Succeed())
		r.open(0)
		r.reap() // what is left of it is a group with its number
		dead := sure(ctx, func() (*Tree, error) { return tracker.Resume(ctx, id, []Identity{id}) })
		Expect(dead.Members()).To(BeEmpty())
		Expect(dead.Wait(ctx)).To(Succeed())
	}, patience)
})

var _ = withTracker("A PID that is used again", func(open func() *Tracker) {
	It("is no member, and not the root", func(ctx SpecContext) {
		r := perl(2, `child { report("child $$"); wait_at(1) }; wait_at(0)`)
		_, child := r.person()
		tracker := open()
		tree := follow(ctx, tracker, r.Pid)
		ended := ends(ctx, tree, r.oracle)
		r.open(0)
		r.reap()
		exit, err := reusePID(r.Pid)
		if err != nil {
			Skip("PIDs cannot be re-used here: " + err.Error())
		}
		Expect(exit).NotTo(BeNil())
		members(ctx, tree, child)
		Expect(look(ctx, r.Pid).Identity).NotTo(Equal(tree.Root()))

		another := follow(ctx, tracker, r.Pid)
		Expect(another.Root()).To(Equal(look(ctx, r.Pid).Identity))
		members(ctx, another, r.Pid)
		lives(ctx, tree, r.oracle)
		members(ctx, tree, child)
		r.open(1)
		Eventually(ctx, ended).Should(Receive(Equal(inTime)))
		Expect(sure(ctx, func() (Verdict, error) { return another.Check(ctx) })).To(Equal(Alive))
		exit()
		Expect(another.Wait(ctx)).To(Succeed())
	}, patience)
})

var _ = withTracker("Tracking", func(open func() *Tracker) {
	It("is refused for a process that is dead", func(ctx SpecContext) {
		r := perl(1, `wait_at(0)`)
		r.open(0)
		Eventually(ctx, r.oracle.held).Should(BeFalse())
		tracker := open()
		track := func() error {
			_, err := tracker.Track(ctx, r.Pid)
			return err
		}
		// Its descriptors are closed a moment before it is a zombie.
		Eventually(ctx, track).Should(MatchError(ErrGone))
		r.reap()
		Eventually(ctx, track).Should(MatchError(ErrGone))
		Expect(tracker.TreeOf(r.Pid)).To(BeNil())
	}, patience)

	DescribeTable("is refused for what is no process", func(ctx SpecContext, pid int) {
		tracker := open()
		_, err := insist(ctx, func() (*Tree, error) { return tracker.Track(ctx, pid) })
		Expect(err).To(MatchError(ErrGone))
	},
		Entry("PID 0", patience, 0),
		Entry("PID -1", patience, -1),
		Entry("a PID beyond all limits", patience, 1<<30),
	)

	It("never counts the process that it runs in", func(ctx SpecContext) {
		tracker := open()
		// Ourselves, an ancestor of ourselves, and everybody's ancestor.
		for _, pid := range []int{os.Getpid(), os.Getppid(), 1} {
			tree, err := tracker.Track(ctx, pid)
			if err != nil {
				Expect(faulty || pid == os.Getpid()).To(BeTrue(), "process %d: %v", pid, err)
				continue
			}
			Expect(tree.Members()).NotTo(ContainElement(HaveField("PID", os.Getpid())), "in the tree of %d", pid)
			_, ok := tracker.TreeOf(os.Getpid())
			Expect(ok).To(BeFalse(), "in the tree of %d", pid)
		}
	}, patience)

	It("follows an ancestor of ourselves", func(ctx SpecContext) {
		tree := follow(ctx, open(), os.Getppid())
		Expect(tree.Members()).To(ContainElement(HaveField("PID", os.Getppid())))
		Expect(sure(ctx, func() (Verdict, error) { return tree.Check(ctx) })).To(Equal(Alive))
	}, patience)

	It("follows init, which never ends", func(ctx SpecContext) {
		r := perl(2, `child { report("orphan $$"); wait_at(1) }; wait_at(0)`)
		_, orphan := r.person()
		tree := follow(ctx, open(), 1)
		Expect(tree.Members()).To(ContainElement(HaveField("PID", 1)))
		r.open(0)
		r.reap()
		if p, err := Lookup(orphan); err == nil && p.Parent == 1 { // no sub-reaper took it
			Eventually(ctx, func() []Member {
				_, err := tree.Check(ctx)
				Expect(faulty || err == nil).To(BeTrue())
				return tree.Members()
			}).Should(ContainElement(HaveField("PID", orphan)))
		}
		Expect(verdict(tree)).To(Equal(Alive))
	}, patience)

	It("leaves nothing when its context has ended", func(ctx SpecContext) {
		ended, cancel := context.WithCancel(ctx)
		cancel()
		r := perl(1, `report("root $$"); wait_at(0)`)
		r.persons(1)
		tracker := open()
		Expect(tracker.Track(ended, r.Pid)).Error().To(MatchError(context.Canceled))
		_, followed := tracker.TreeOf(r.Pid)
		Expect(followed).To(BeFalse())
		r.open(0)
		r.reap()
	}, patience)
})

var _ = withTracker("A wait", func(open func() *Tracker) {
	// alive is a tree in which somebody lives as long as the spec.
	alive := func(ctx SpecContext, tracker *Tracker) *Tree {
		r := perl(1, `report("root $$"); wait_at(0)`)
		r.persons(1)
		return follow(ctx, tracker, r.Pid)
	}
	waits := map[string]func(context.Context, *Tree) error{
		"for the end": func(ctx context.Context, t *Tree) error { return t.Wait(ctx) },
		"for changes": func(ctx context.Context, t *Tree) error {
			for { // the first are who is there
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
		}, patience)

		It(text+" ends with the tracker", func(ctx SpecContext) {
			tracker := open()
			done := begin(ctx, alive(ctx, tracker))
			Expect(tracker.Close()).To(Succeed())
			Eventually(ctx, done).Should(Receive(MatchError(ErrClosed)))
		}, patience)

		It(text+" ends with the tree", func(ctx SpecContext) {
			tree := alive(ctx, open())
			done := begin(ctx, tree)
			Expect(tree.Close()).To(Succeed())
			Eventually(ctx, done, "10s").Should(Receive(MatchError(ErrClosed)))
		}, patience)
	}

	It("for the verdict ends with its context", func(ctx SpecContext) {
		limited, cancel := context.WithCancel(ctx)
		cancel()
		v, err := alive(ctx, open()).Check(limited)
		Expect(v).To(Equal(Unknown))
		Expect(err).To(MatchError(context.Canceled))
	}, patience)

	It("finds nothing out for a context that has ended", func(ctx SpecContext) {
		tracker := open()
		r := perl(1, `report("root $$"); wait_at(0)`)
		r.persons(1)
		tree := follow(ctx, tracker, r.Pid)
		r.open(0)
		Expect(tree.Wait(ctx)).To(Succeed())
		ended, cancel := context.WithCancel(ctx)
		cancel()
		Expect(tree.Wait(ended)).To(MatchError(context.Canceled), "though the tree is empty")
		Expect(tree.Changes(ended)).Error().To(MatchError(context.Canceled))
		Expect(tree.Changes(ctx)).To(ContainElement(HaveField("Kind", Emptied)), "and is still to be told")
		r.reap()
	}, patience)

	It("is over before it begins for a tree that has ended", func(ctx SpecContext) {
		tree := alive(ctx, open())
		Expect(tree.Close()).To(Succeed())
		limited, cancel := context.WithTimeout(ctx, limit/10)
		defer cancel()
		v, err := tree.Verdict()
		Expect(v).To(Equal(Unknown))
		Expect(err).To(MatchError(ErrClosed))
		Expect(tree.Wait(limited)).To(MatchError(ErrClosed))
	}, patience)
})

var _ = withTracker("A tracker that is closed", func(open func() *Tracker) {
	It("says so, whatever it is asked", func(ctx SpecContext) {
		tracker := open()
		r := perl(1, `report("root $$"); wait_at(0)`)
		r.persons(1)
		tree := follow(ctx, tracker, r.Pid)
		Expect(tracker.Close()).To(Succeed())
		Expect(tracker.Close()).To(MatchError(ErrClosed))
		_, err := tracker.Track(ctx, r.Pid)
		Expect(err).To(MatchError(ErrClosed))
		_, err = tracker.Resume(ctx, tree.Root(), nil)
		Expect(err).To(MatchError(ErrClosed))
		v, err := tree.Verdict()
		Expect(v).To(Equal(Unknown))
		Expect(err).To(MatchError(ErrClosed))
		v, err = tree.Check(ctx)
		Expect(v).To(Equal(Unknown))
		Expect(err).To(MatchError(ErrClosed))
		Expect(tree.Close()).To(Succeed())
	}, patience)

	It("may be closed while others ask it", func(ctx SpecContext) {
		r := perl(1, `report("root $$"); wait_at(0)`)
		r.persons(1)
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
				if !faulty && err != nil {
					Expect(err).To(MatchError(ErrClosed))
				}
			}
		}
	}, patience)
})

var _ = Describe("A tracker whose kernel fails", func() {
	It("leaves everything unknown, and says why", func(ctx SpecContext) {
		r := rehearse(ForksAnnounced)
		tree := r.track(10)
		r.broken = exec.ErrNotFound // any error
		go r.tracker.run()
		Expect(tree.Wait(ctx)).To(MatchError(exec.ErrNotFound))
		v, err := tree.Verdict()
		Expect(v).To(Equal(Unknown))
		Expect(err).To(MatchError(exec.ErrNotFound))
		_, err = r.tracker.Track(ctx, 10)
		Expect(err).To(MatchError(exec.ErrNotFound))
		Expect(r.tracker.Close()).To(Succeed())
	}, patience)
})
