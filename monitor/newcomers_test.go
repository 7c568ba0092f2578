//go:build darwin || linux

package monitor_test

import (
	"context"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// A joinCall is a call of Join in a goroutine.
type joinCall struct {
	done chan struct{}
	err  error
}

// joins has the monitor make a process a member.
func (w *watching) joins(ctx context.Context, one monitor.Newcomer) *joinCall {
	c := &joinCall{done: make(chan struct{})}
	go func() {
		defer close(c.done)
		c.err = w.attached.Join(ctx, one)
	}()
	return c
}

// returns waits until the call has returned.
func (c *joinCall) returns() error {
	GinkgoHelper()
	Eventually(c.done).Should(BeClosed())
	return c.err
}

// linksOf returns the links by which a process has joined, by the journal.
func linksOf(r *monitor.Runtime, id process.Identity) (links []trees.Link) {
	GinkgoHelper()
	for _, e := range entries(r) {
		if e.Event == trees.Joined && e.Member.Identity == id {
			links = append(links, e.Member.Link)
		}
	}
	return links
}

var _ = Describe("A process from outside that joins a runtime", func() {
	var store *monitor.Store
	var gates, others *gate
	var owner, guest *child
	var runtime *monitor.Runtime

	BeforeEach(func() {
		store = newStore()
		gates, others = newGate(), newGate()
		owner = start(`read -r x <&3`, through(gates)...)
		guest = start(`read -r x <&3`, through(others)...)
		runtime = own(store, "build", owner.Identity)
	})

	newcomer := func(strangers ...process.Identity) monitor.Newcomer {
		return monitor.Newcomer{Process: guest.Identity, Strangers: strangers}
	}

	It("is a member, in the journal when it is answered, and keeps the runtime", func(ctx SpecContext) {
		w := watched(runtime)
		Expect(w.joins(ctx, newcomer()).returns()).To(Succeed())
		Expect(linksOf(runtime, guest.Identity)).To(Equal([]trees.Link{{Kind: trees.LinkJoin}}))
		gates.open()
		Eventually(members(store, "build")).Should(Equal([]int{guest.PID}))
		Expect(runtime.Record()).To(And(HaveField("State", monitor.StateRunning), HaveField("Owner", owner.Identity)))
		others.open()
		Expect(w.ends()).To(Succeed())
		nothingLeft(store)
	})

	It("may ask again, and is in the journal once", func(ctx SpecContext) {
		w := watched(runtime)
		for range 3 {
			Expect(w.joins(ctx, newcomer()).returns()).To(Succeed())
		}
		Expect(linksOf(runtime, guest.Identity)).To(HaveLen(1))
	})

	It("is known to the next monitor, with what it made and without what it had made before", func(ctx SpecContext) {
		guest = start(`(read -r x <&5) & read -r x <&3`, through(others, newGate())...)
		var before process.Identity
		Eventually(func() (_ process.Identity, err error) {
			before, err = onlyChild(guest.PID)
			return before, err
		}).ShouldNot(BeZero())
		w := watched(runtime)
		Expect(w.joins(ctx, newcomer(before)).returns()).To(Succeed())
		Expect(runtime.Record()).To(HaveField("Strangers", ContainElement(before)))
		w.leaves()
		gates.open()
		owner.wait()
		next := watched(runtime)
		Eventually(members(store, "build")).Should(Equal([]int{guest.PID}))
		Expect(runtime.Record()).To(HaveField("Strangers", ContainElement(before)))
		others.open()
		Expect(next.ends()).To(Succeed(), "what it had made before lives on, and does not count")
		Expect(lives(before)).To(BeTrue())
		nothingLeft(store)
	})

	It("is refused when the members are told to end", func(ctx SpecContext) {
		w := watched(runtime)
		call := w.stops(syscall.SIGCONT, long)
		Eventually(runtime.Record).Should(HaveField("State", monitor.StateStopping))
		err := w.joins(ctx, newcomer()).returns()
		Expect(err).To(MatchError(monitor.ErrRefused))
		Expect(err).To(MatchError(`runtime "build" cannot be joined: it was told to stop: SIGCONT was sent, and SIGKILL follows after 1h0m0s`))
		gates.open()
		Expect(call.returns()).To(Equal(monitor.Remainder{}))
		Expect(w.ends()).To(Succeed())
	})

	It("is refused when no member is known and a process holds the lease", func(ctx SpecContext) {
		lease := hold(runtime)
		w := watched(runtime)
		gates.open()
		Eventually(runtime.Record).Should(HaveField("State", monitor.StateUnknown))
		Expect(w.joins(ctx, newcomer()).returns()).To(MatchError(`runtime "build" cannot be joined: no process of it is known to live, and it goes unless one shows up`))
		Expect(linksOf(runtime, guest.Identity)).To(BeEmpty())
		Expect(lease.Close()).To(Succeed())
		Expect(w.ends()).To(Succeed())
		nothingLeft(store)
	})

	It("is refused when it has ended, or does not wait any more", func(ctx SpecContext) {
		w := watched(runtime)
		gone := newcomer()
		gone.Left = func() bool { return true }
		Expect(w.joins(ctx, gone).returns()).To(MatchError(ContainSubstring("does not wait any more")))
		others.open()
		guest.wait()
		Expect(w.joins(ctx, newcomer()).returns()).To(MatchError(process.ErrGone))
		gates.open()
		Expect(w.ends()).To(Succeed())
		Expect(w.joins(ctx, newcomer()).returns()).To(MatchError(monitor.ErrUnwatched))
	})

	It("is refused where the journal cannot be written", func(ctx SpecContext) {
		w := watched(runtime)
		monitor.BreakJournal(w.attached)
		err := w.joins(ctx, newcomer()).returns()
		Expect(err).To(MatchError(monitor.ErrRefused))
		Expect(err).To(MatchError(HaveSuffix("its journal cannot be written, see " + runtime.Path(monitor.LogFile))))
		others.open()
		gates.open()
		Expect(w.ends()).To(Succeed())
	})

	It("is either refused or kept while the last member ends", func(ctx SpecContext) {
		w := watched(runtime)
		call := w.joins(ctx, newcomer())
		gates.open()
		if err := call.returns(); err == nil {
			owner.wait()
			Eventually(members(store, "build")).Should(Equal([]int{guest.PID}))
			others.open()
		}
		Expect(w.ends()).To(Succeed())
		nothingLeft(store)
	})
})
