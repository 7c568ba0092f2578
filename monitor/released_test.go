//go:build darwin || linux

package monitor_test

import (
	"context"
	"os"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

var _ = Describe("A released process of a runtime", func() {
	var store *monitor.Store
	var runtime *monitor.Runtime
	var owner *child
	var ends, stays *gate // of the owner, and of its child

	// begins starts an owner with a child. Both hold the lease, and end with their gates.
	begins := func(script string) process.Identity {
		GinkgoHelper()
		store = newStore()
		runtime = own(store, "build", dead())
		lease := hold(runtime)
		defer lease.Close()
		ends, stays = newGate(), newGate()
		owner = start(script, append(through(ends, stays), lease)...)
		change(runtime, func(r *monitor.Record) { r.Owner = owner.Identity })
		agent := madeBy(owner.PID)
		inLsof(agent.PID)
		return agent
	}
	const daemon = `(read -r x <&5) & read -r x <&3`

	released := func() (pids []int, err error) {
		status, err := statusOf(store, "build")
		for _, m := range status.Released {
			pids = append(pids, m.PID)
		}
		return pids, err
	}

	It("counts no more, and the runtime ends though the process holds the lease", Label("holders"), func(ctx SpecContext) {
		seesAllFiles()
		agent := begins(daemon)
		w := watched(runtime)
		Expect(w.attached.Release(ctx, agent)).To(Succeed())
		Expect(members(store, "build")()).To(Equal([]int{owner.PID}))
		Expect(released()).To(Equal([]int{agent.PID}))
		ends.open()
		Expect(w.ends()).To(Succeed())
		nothingLeft(store)
		Expect(lives(agent)).To(BeTrue())
		stays.open()
	})

	It("is the end of the runtime where it is the last one", Label("holders"), func(ctx SpecContext) {
		seesAllFiles()
		agent := begins(daemon)
		w := watched(runtime)
		ends.open()
		Eventually(members(store, "build")).Should(Equal([]int{agent.PID}))
		Expect(w.attached.Release(ctx, agent)).To(Succeed())
		Expect(w.ends()).To(Succeed())
		nothingLeft(store)
		Expect(lives(agent)).To(BeTrue())
		stays.open()
	})

	It("is the end of the runtime where it is the owner", Label("holders"), func(ctx SpecContext) {
		seesAllFiles()
		agent := begins(daemon)
		inLsof(agent.PID, owner.PID)
		w := watched(runtime)
		Expect(w.attached.Release(ctx, owner.Identity)).To(Succeed())
		Expect(w.ends()).To(Succeed())
		nothingLeft(store)
		Expect(lives(agent)).To(BeTrue())
		Expect(lives(owner.Identity)).To(BeTrue())
		stays.open()
		ends.open()
	})

	It("does not end the runtime while a process that is not released holds the lease", Label("holders"), func(ctx SpecContext) {
		seesAllFiles()
		agent := begins(daemon)
		lease := hold(runtime)
		g := newGate()
		other := start("exec cat <&3", append(through(g), lease)...)
		Expect(lease.Close()).To(Succeed())
		inLsof(agent.PID, other.PID)
		w := watched(runtime)
		Expect(w.attached.Release(ctx, agent)).To(Succeed())
		ends.open()
		Eventually(runtime.Record).Should(And(
			HaveField("State", monitor.StateUnknown),
			HaveField("Reason", MatchRegexp(`^process %d \(\w+\), which is neither a member nor released, holds the lease$`, other.PID)),
		))
		Expect(w.done).NotTo(BeClosed())
		other.kill()
		inLsof(agent.PID)
		Expect(w.ends()).To(Succeed())
		nothingLeft(store)
		stays.open()
	})

	It("is released still when the next monitor goes on, with what it has made", Label("holders"), func(ctx SpecContext) {
		seesAllFiles()
		agent := begins(`(read -r x <&5; (read -r x <&3) & read -r x <&3) & read -r x <&3`)
		first := watched(runtime)
		Expect(first.attached.Release(ctx, agent)).To(Succeed())
		first.leaves()
		Expect(released()).To(Equal([]int{agent.PID}))
		stays.open() // while nothing watches
		grandchild := madeBy(agent.PID).PID
		inLsof(agent.PID, grandchild)
		w := watched(runtime)
		Eventually(released).Should(ConsistOf(agent.PID, grandchild))
		Expect(members(store, "build")()).To(Equal([]int{owner.PID}))
		Expect(w.attached.Release(ctx, process.Identity{PID: grandchild})).To(MatchError(monitor.ErrNoMember), "by another start time")
		owner.kill()
		Expect(w.ends()).To(Succeed())
		nothingLeft(store)
		ends.open()
	})

	It("has its lines in the journal before the call returns", func(ctx SpecContext) {
		agent := begins(daemon)
		w := watched(runtime)
		Expect(w.attached.Release(ctx, agent)).To(Succeed())
		Expect(kindsOf(runtime, agent)).To(Equal([]trees.ChangeKind{trees.Joined, trees.Released}))
		Expect(w.attached.Release(ctx, agent)).To(Succeed())
		Expect(kindsOf(runtime, agent)).To(HaveLen(2))
		stays.open()
		Eventually(func() []trees.ChangeKind { return kindsOf(runtime, agent) }).Should(Equal([]trees.ChangeKind{trees.Joined, trees.Released, trees.Ended}))
		Expect(released()).To(BeEmpty())
		ends.open()
		Expect(w.ends()).To(Succeed())
	})

	It("gets no signal when the runtime is stopped", func(ctx SpecContext) {
		agent := begins(`(read -r x <&5) 7>&- & read -r x <&3`) // without the lease
		w := watched(runtime)
		Expect(w.attached.Release(ctx, agent)).To(Succeed())
		Expect(w.stops(15, time.Hour).returns()).To(Equal(monitor.Remainder{}))
		Expect(w.ends()).To(Succeed())
		Expect(lives(agent)).To(BeTrue())
		stays.open()
	})

	It("has to be a member, which is one that has just begun too", func(ctx SpecContext) {
		agent := begins(daemon)
		w := watched(runtime)
		for _, id := range []process.Identity{dead(), {PID: agent.PID, Start: agent.Start + 1, Boot: agent.Boot}} {
			Expect(w.attached.Release(ctx, id)).To(MatchError(monitor.ErrNoMember))
		}
		ended, end := context.WithCancel(ctx)
		end()
		Expect(w.attached.Release(ended, dead())).To(Or(MatchError(context.Canceled), MatchError(monitor.ErrNoMember)))
		w.leaves()
		Expect(w.attached.Release(ctx, agent)).To(MatchError(monitor.ErrUnwatched))
		stays.open()
		ends.open()
	})
})

// madeBy waits until a process has made another.
func madeBy(parent int) (child process.Identity) {
	GinkgoHelper()
	Eventually(func() (int, error) {
		rows, err := process.Table()
		for _, p := range rows {
			if p.Parent == parent && p.State != process.Zombie {
				child = p.Identity
			}
		}
		return child.PID, err
	}).ShouldNot(BeZero())
	return child
}

// kindsOf returns what the journal of a runtime has of a process, in order.
func kindsOf(r *monitor.Runtime, id process.Identity) (kinds []trees.ChangeKind) {
	for _, e := range entries(r) {
		if e.Member != nil && e.Member.Identity == id {
			kinds = append(kinds, e.Event)
		}
	}
	return kinds
}

// seesAllFiles skips a spec that is about who holds the lease, where that cannot be settled: a
// process of another user that begins meanwhile may hold it as well, and its files are not seen.
func seesAllFiles() {
	GinkgoHelper()
	if os.Geteuid() != 0 {
		Skip("this user does not see the files of others")
	}
}
