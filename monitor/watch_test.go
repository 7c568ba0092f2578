//go:build darwin || linux

package monitor_test

import (
	"fmt"
	"os"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

var _ = Describe("A monitor", func() {
	var store *monitor.Store

	BeforeEach(func() { store = newStore() })

	It("removes the runtime when the last process has gone", func() {
		g := newGate()
		runtime := own(store, "build", start("read -r x <&3", through(g)...).Identity)
		w := watched(runtime)
		Expect(runtime.Record()).To(And(
			HaveField("State", monitor.StateRunning),
			HaveField("Reason", ""),
			HaveField("Monitor", HaveValue(Equal(self()))),
		))
		g.open()
		Expect(w.ends()).To(Succeed())
		nothingLeft(store)
	})

	It("counts the processes that the owner left behind, until they have gone too", func() {
		ownersGate, orphansGate := newGate(), newGate()
		owner := start("read -r x <&5 & read -r x <&3", through(ownersGate, orphansGate)...)
		runtime := own(store, "build", owner.Identity)
		w := watched(runtime)
		Eventually(members(store, "build")).Should(And(HaveLen(2), ContainElement(owner.PID)))
		ownersGate.open()
		owner.wait()
		Eventually(members(store, "build")).Should(And(HaveLen(1), Not(ContainElement(owner.PID))))
		Expect(runtime.Record()).To(HaveField("State", monitor.StateRunning))
		Expect(runtime.Root()).To(BeADirectory())
		Expect(w.done).NotTo(BeClosed())
		orphansGate.open()
		Expect(w.ends()).To(Succeed())
		nothingLeft(store)
	})

	It("writes each join to the journal, with the link, and each exit", func() {
		ownersGate, childsGate, secondGate := newGate(), newGate(), newGate()
		owner := start("read -r x <&5 & read -r x <&3", through(ownersGate, childsGate, secondGate)...)
		runtime := own(store, "build", owner.Identity)
		watched(runtime)
		Eventually(entries).WithArguments(runtime).Should(HaveLen(2), "the child is made before or after the first read")
		childsGate.open()
		Eventually(entries).WithArguments(runtime).Should(HaveLen(3))
		all := entries(runtime)
		joined := func(who, through any) OmegaMatcher {
			return And(HaveField("Event", trees.Joined), HaveField("Member.Identity", who), HaveField("Member.Link", through))
		}
		child := all[2].Member.Identity
		Expect(all[2].Event).To(Equal(trees.Left))
		Expect(all[:2]).To(ConsistOf(
			joined(owner.Identity, trees.Link{Kind: trees.LinkRoot}),
			joined(child, trees.Link{Kind: trees.LinkParent, Through: owner.Identity}),
		))
	})

	It("takes a zombie for dead", func() {
		g := newGate()
		owner := start("read -r x <&3", through(g)...)
		w := watched(own(store, "build", owner.Identity))
		g.open()
		Expect(w.ends()).To(Succeed())
		Expect(process.Lookup(owner.PID)).To(HaveField("State", process.Zombie), "it is not reaped")
	})

	It("is the only one: a second fails, with the PID of the first", func() {
		g := newGate()
		runtime := own(store, "build", start("read -r x <&3", through(g)...).Identity)
		first := watched(runtime)
		second := watch(runtime)
		err := second.ends()
		Expect(err).To(MatchError(monitor.ErrWatched))
		Expect(err).To(MatchError(HaveSuffix(fmt.Sprint("by process ", os.Getpid()))))
		Expect(second.ready).NotTo(BeClosed())
		g.open()
		Expect(first.ends()).To(Succeed())
		nothingLeft(store)
	})

	It("that comes with the lock of a runtime that was removed gets no other of that name", func() {
		runtime := own(store, "build", dead())
		lock, err := runtime.OpenLock()
		Expect(err).NotTo(HaveOccurred())
		defer lock.Close()
		Expect(runtime.Remove()).To(Succeed())
		own(store, "build", dead())
		Expect(runtime.Take(lock)).To(MatchError(monitor.ErrNotExist))
	})
})
