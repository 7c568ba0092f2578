//go:build darwin || linux

package router

import (
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/tracker"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// family is a root that waits at gate 0, with a child that waits at gate 1 and makes another
// child then, which waits at gate 2 with it.
const family = `child { report("child $$"); wait_at(1); child { report("grandchild $$"); wait_at(2) }; wait_at(2) }; wait_at(0)`

var _ = withRouter("A route", func(open func(...func(*Options[string])) *Router[string]) {
	It("inside another answers first, and what it had answers as the other one when it is closed", func(ctx SpecContext) {
		r := open()
		root := testproc.Perl(3, family)
		_, child := root.Person()
		outer := registered(ctx, r, root.Pid, "outer")
		belongs(r, child, "outer")
		inner := registered(ctx, r, child, "inner")
		belongs(r, child, "inner")
		belongs(r, root.Pid, "outer")
		root.Open(1)
		_, grandchild := root.Person()
		belongs(r, grandchild, "inner")
		Expect(inner.Close()).To(Succeed())
		Expect(inner.Emptied()).NotTo(BeClosed(), "it was closed")
		Expect(inner.Wait(ctx)).To(MatchError(ErrClosed))
		belongs(r, grandchild, "outer")
		belongs(r, child, "outer")
		root.Open(2)
		root.Open(0)
		empties(ctx, outer)
	}, testproc.Patience)

	It("of the same root again answers for its processes, and the first is empty when all have ended, and no sooner", func(ctx SpecContext) {
		r := open()
		root := testproc.Perl(3, family)
		_, child := root.Person()
		first := registered(ctx, r, root.Pid, "first")
		belongs(r, child, "first")
		second := registered(ctx, r, root.Pid, "second")
		belongs(r, root.Pid, "second")
		belongs(r, child, "second")
		third := registered(ctx, r, root.Pid, "third")
		belongs(r, child, "third")
		root.Open(0)
		root.Reap()
		for _, route := range []*Route[string]{first, second, third} {
			Expect(testproc.Sure(ctx, func() (trees.Verdict, error) { return route.Tree().Check(ctx) })).To(Equal(trees.Alive))
			Expect(route.Emptied()).NotTo(BeClosed())
		}
		belongs(r, child, "third")
		root.Open(1)
		root.Open(2)
		for _, route := range []*Route[string]{third, second, first} {
			empties(ctx, route)
		}
	}, testproc.Patience)

	It("answers something else after Set, with the members that it had", func(ctx SpecContext) {
		r := open()
		root := testproc.Perl(3, family)
		_, child := root.Person()
		route := registered(ctx, r, root.Pid, "read-only")
		belongs(r, child, "read-only")
		before := route.Tree().Members()
		route.Set("editable")
		belongs(r, child, "editable")
		belongs(r, root.Pid, "editable")
		Expect(route.Value()).To(Equal("editable"))
		Expect(route.Tree().Members()).To(Equal(before))
	}, testproc.Patience)

	It("has a process that joins, and what it makes then, though it was a stranger that asked before", func(ctx SpecContext) {
		r := open()
		root := testproc.Perl(1, `wait_at(0)`)
		guest := testproc.Perl(2, `child { report("before $$"); wait_at(1) }; wait_at(0); child { report("after $$"); wait_at(1) }; wait_at(1)`)
		_, before := guest.Person()
		route := registered(ctx, r, root.Pid, "a")
		strange(r, guest.Pid)
		strange(r, before)
		Expect(testproc.Sure(ctx, func() (bool, error) { return true, route.Join(ctx, identity(ctx, guest.Pid)) })).To(BeTrue())
		belongs(r, guest.Pid, "a")
		guest.Open(0)
		_, after := guest.Person()
		belongs(r, after, "a")
		strange(r, before)
		root.Open(0)
		root.Reap()
		Expect(testproc.Sure(ctx, func() (trees.Verdict, error) { return route.Tree().Check(ctx) })).To(Equal(trees.Alive))
		guest.Open(1)
		empties(ctx, route)
	}, testproc.Patience)

	It("does not have a process that leaves, nor what that makes, and is empty without them", func(ctx SpecContext) {
		r := open()
		root := testproc.Perl(3, family)
		_, child := root.Person()
		outer := registered(ctx, r, root.Pid, "outer")
		inner := registered(ctx, r, root.Pid, "inner")
		belongs(r, child, "inner")
		Expect(inner.Leave(identity(ctx, child))).To(Succeed())
		belongs(r, child, "outer")
		Expect(outer.Leave(identity(ctx, child))).To(Succeed())
		strange(r, child)
		root.Open(1)
		_, grandchild := root.Person()
		strange(r, grandchild)
		belongs(r, root.Pid, "inner")
		root.Open(0)
		empties(ctx, inner)
		empties(ctx, outer)
		Expect(outer.Leave(identity(ctx, child))).To(MatchError(tracker.ErrNoMember))
		strange(r, child)
	}, testproc.Patience)

	It("answers for strangers that asked before, once their tree is registered", func(ctx SpecContext) {
		r := open()
		root := testproc.Perl(3, family)
		_, child := root.Person()
		strange(r, root.Pid)
		strange(r, child)
		registered(ctx, r, root.Pid, "a")
		belongs(r, child, "a")
		belongs(r, root.Pid, "a")
	}, testproc.Patience)

	It("is found empty once, after its last process, an orphan", func(ctx SpecContext) {
		var emptied atomic.Int32
		told := make(chan *Route[string], 10)
		r := open(func(o *Options[string]) {
			o.Emptied = func(route *Route[string]) { emptied.Add(1); told <- route }
		})
		root := testproc.Perl(3, family)
		_, child := root.Person()
		route := registered(ctx, r, root.Pid, "a")
		closed := registered(ctx, r, child, "b")
		Expect(closed.Close()).To(Succeed())
		Expect(closed.Close()).To(Succeed(), "again")
		root.Open(0)
		root.Reap()
		Expect(testproc.Sure(ctx, func() (trees.Verdict, error) { return route.Tree().Check(ctx) })).To(Equal(trees.Alive))
		Expect(emptied.Load()).To(BeZero())
		belongs(r, child, "a")
		root.Open(1)
		root.Open(2)
		Expect(route.Wait(ctx)).To(Succeed())
		Expect(root.Oracle.Held()).To(BeFalse())
		Eventually(ctx, told).Should(Receive(BeIdenticalTo(route)))
		Expect(route.Close()).To(Succeed())
		Expect(r.Close()).To(Succeed())
		Expect(emptied.Load()).To(BeEquivalentTo(1))
		Expect(r.Routes()).To(BeEmpty())
	}, testproc.Patience)

	It("is not found empty while that is unknown", func(ctx SpecContext) {
		var emptied atomic.Int32
		r := open(func(o *Options[string]) { o.Emptied = func(*Route[string]) { emptied.Add(1) } })
		root := testproc.Perl(1, `wait_at(0)`)
		tree := testproc.Sure(ctx, func() (*tracker.Tree, error) { return r.tracker.Track(ctx, root.Pid) })
		route, err := r.Attach(tree, "a")
		Expect(err).NotTo(HaveOccurred())
		belongs(r, root.Pid, "a")
		root.Open(0)
		root.Reap()
		Expect(route.Wait(ctx)).To(MatchError(tracker.ErrMayHaveMissed), "it may have had orphans before")
		Expect(r.Routes()).To(ConsistOf(route))
		Expect(route.Close()).To(Succeed())
		Expect(route.Emptied()).NotTo(BeClosed())
		Expect(emptied.Load()).To(BeZero())
		Expect(tree.Verdict()).Error().To(MatchError(tracker.ErrMayHaveMissed), "the tree stays the caller's")
	}, testproc.Patience)

	It("is of a tree that its caller has begun, and ends with that", func(ctx SpecContext) {
		r := open()
		root := testproc.Perl(1, `wait_at(0)`)
		tree := testproc.Sure(ctx, func() (*tracker.Tree, error) { return r.tracker.Track(ctx, root.Pid) })
		route, err := r.Attach(tree, "a")
		Expect(err).NotTo(HaveOccurred())
		Expect(r.Attach(tree, "b")).Error().To(MatchError(ErrRouted))
		belongs(r, root.Pid, "a")
		Expect(tree.Close()).To(Succeed())
		Expect(route.Wait(ctx)).To(MatchError(ErrClosed))
		strange(r, root.Pid)
		Expect(r.Attach(tree, "b")).Error().NotTo(HaveOccurred(), "it ends at once")
	}, testproc.Patience)

	It("inside a tree without a route answers as the next one that has one", func(ctx SpecContext) {
		r := open()
		root := testproc.Perl(3, family)
		_, child := root.Person()
		registered(ctx, r, root.Pid, "a")
		tree := testproc.Sure(ctx, func() (*tracker.Tree, error) { return r.tracker.Track(ctx, child) })
		belongs(r, child, "a")
		route, err := r.Attach(tree, "b")
		Expect(err).NotTo(HaveOccurred())
		belongs(r, child, "b")
		Expect(route.Close()).To(Succeed())
		belongs(r, child, "a")
		Expect(tree.Verdict()).To(Equal(trees.Alive))
	}, testproc.Patience)

	It("is not begun for a process that is dead, another one, or the router's own", func(ctx SpecContext) {
		r := open()
		root := testproc.Perl(1, `wait_at(0)`)
		id := identity(ctx, root.Pid)
		other := id
		other.Start++
		Expect(r.Register(ctx, other, "a")).Error().To(MatchError(process.ErrGone))
		root.Open(0)
		root.Reap()
		Expect(r.Register(ctx, id, "a")).Error().To(MatchError(process.ErrGone))
		own, err := process.Self()
		Expect(err).NotTo(HaveOccurred())
		Expect(r.Register(ctx, own, "a")).Error().To(MatchError(tracker.ErrSelf))
		Expect(r.Routes()).To(BeEmpty())
	}, testproc.Patience)

	It("goes on in a router that comes after, with its orphans, its strangers and without what had left", func(ctx SpecContext) {
		root := testproc.Perl(3, `
			POSIX::setsid(); # so that its orphans are found where forks are unseen
			child { report("older $$"); wait_at(2) };
			wait_at(0);
			child { child { report("orphan $$"); wait_at(2) }; POSIX::_exit(0) }; wait;
			child { report("leaves $$"); wait_at(2) };
			child { report("stays $$"); wait_at(2); };
			wait_at(1)`)
		_, older := root.Person()
		first := open()
		id := identity(ctx, root.Pid)
		route := testproc.Sure(ctx, func() (*Route[string], error) {
			return first.Adopt(ctx, id, trees.History{Members: []process.Identity{id}, Fresh: true}, "a")
		})
		root.Open(0)
		who := root.Persons(3)
		for _, pid := range who {
			belongs(first, pid, "a")
		}
		strange(first, older)
		Eventually(ctx, func() int { return len(route.Tree().Members()) }).Should(Equal(4))
		Expect(route.Leave(identity(ctx, who["leaves"]))).To(Succeed())
		h := route.History()
		Expect(first.Close()).To(Succeed())
		root.Open(1)
		root.Reap()

		second := open()
		again := testproc.Sure(ctx, func() (*Route[string], error) { return second.Adopt(ctx, id, h, "b") })
		belongs(second, who["orphan"], "b")
		belongs(second, who["stays"], "b")
		strange(second, who["leaves"])
		strange(second, older)
		root.Open(2)
		empties(ctx, again)
	}, testproc.Patience)

	It("that is adopted when all have ended is found empty", func(ctx SpecContext) {
		root := testproc.Perl(0, ``)
		id := process.Identity{}
		if p, err := process.Lookup(root.Pid); err == nil {
			id = p.Identity
		} else {
			Skip("it ended too soon to have an identity") // rare, and no harm
		}
		root.Reap()
		r := open()
		route := testproc.Sure(ctx, func() (*Route[string], error) { return r.Adopt(ctx, id, trees.History{}, "a") })
		empties(ctx, route)
	}, testproc.Patience)
})
