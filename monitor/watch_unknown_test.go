//go:build darwin || linux

package monitor_test

import (
	"strings"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("A monitor where the witnesses disagree", func() {
	var store *monitor.Store

	BeforeEach(func() { store = newStore() })

	// A holder is no descendant of the owner, so the table never shows it.
	holder := func(r *monitor.Runtime) *child {
		GinkgoHelper()
		lease := hold(r)
		defer lease.Close()
		return start("exec cat <&3", append(through(newGate()), lease)...)
	}

	unknown := And(HaveField("State", monitor.StateUnknown), HaveField("Reason", ContainSubstring("holds the lease")))

	It("keeps the runtime, records why, and removes it when the lease is released", func() {
		g := newGate()
		owner := start("read -r x <&3", through(g)...)
		runtime := own(store, "build", owner.Identity)
		h := holder(runtime)
		w := watched(runtime)
		Expect(runtime.Record()).To(HaveField("State", monitor.StateRunning))
		g.open()
		Eventually(runtime.Record).Should(unknown)
		Expect(runtime.Root()).To(BeADirectory())
		Expect(w.done).NotTo(BeClosed())
		h.kill()
		Expect(w.ends()).To(Succeed())
		nothingLeft(store)
	})

	It("is counted, with its members and how long it took to go", func() {
		g := newGate()
		owner := start("read -r x <&3", through(g)...)
		runtime := own(store, "build", owner.Identity)
		h := holder(runtime)
		var counts monitor.Counts
		Expect(counts.Counted()).To(Equal(monitor.Counted{}))
		w := watchAs(runtime, monitor.Options{Counts: &counts})
		Eventually(counts.Counted).Should(Equal(monitor.Counted{Joined: 1}))
		g.open()
		Eventually(counts.Counted).Should(Equal(monitor.Counted{Joined: 1, Left: 1, Unknown: 1}))
		h.kill()
		Expect(w.ends()).To(Succeed())
		gone := counts.Counted().Gone
		Expect(gone.Seconds).To(BeNumerically(">", 0))
		Expect(gone.Counts).To(HaveLen(len(monitor.DelayBounds) + 1))
		for i, n := range gone.Counts { // in the bucket of its own length, and in no other
			if n == 0 {
				continue
			}
			Expect(n).To(Equal(1))
			if i < len(monitor.DelayBounds) {
				Expect(gone.Seconds).To(BeNumerically("<=", monitor.DelayBounds[i]))
			}
			if i > 0 {
				Expect(gone.Seconds).To(BeNumerically(">", monitor.DelayBounds[i-1]))
			}
		}
		Expect(gone.Counts).To(ContainElement(1))
	})

	It("keeps it also from the beginning, where no member was ever seen", func() {
		runtime := own(store, "build", dead())
		h := holder(runtime)
		w := watched(runtime)
		Eventually(runtime.Record).Should(unknown)
		Expect(w.done).NotTo(BeClosed())
		h.kill()
		Expect(w.ends()).To(Succeed())
		nothingLeft(store)
	})

	It("leaves it as it is when it is stopped", func() {
		runtime := own(store, "build", dead())
		holder(runtime)
		w := watched(runtime)
		Eventually(runtime.Record).Should(unknown)
		w.leaves()
		Expect(runtime.Record()).To(unknown)
		Expect(runtime.Root()).To(BeADirectory())
	})

	It("goes back to running when the table shows a member after all", func() {
		ownersGate, middlesGate, leafsGate, forksGate := newGate(), newGate(), newGate(), newGate()
		owner := startAs(&syscall.SysProcAttr{Setpgid: true}, "read -r x <&3", through(ownersGate)...)
		runtime := own(store, "build", owner.Identity)
		lease := hold(runtime)
		// A stranger in the owner's group has a child there, which becomes
		// an orphan, and so a member, when the stranger ends.
		stranger := startAs(&syscall.SysProcAttr{Setpgid: true, Pgid: owner.PID},
			"read -r x <&7; read -r x <&5 & read -r x <&3; exit", append(through(middlesGate, leafsGate, forksGate), lease)...)
		Expect(lease.Close()).To(Succeed())
		w := watched(runtime)
		forksGate.open() // the fork is noticed, where forks are
		ownersGate.open()
		Eventually(runtime.Record).Should(unknown)
		middlesGate.open()
		stranger.wait()
		// The child counts when a read shows it as an orphan of the group. Where the kernel
		// names each fork, the table is read less often, and the child may end before.
		joined, states := Equal(2), Equal(2)
		if forks() == process.ForksNamed { // a child that the monitor hears of with its end makes no state
			joined, states = BeElementOf(1, 2), BeElementOf(1, 2)
		} else {
			Eventually(runtime.Record).Should(And(HaveField("State", monitor.StateRunning), HaveField("Reason", "")))
			Eventually(members(store, "build")).Should(HaveLen(1))
		}
		Expect(runtime.Root()).To(BeADirectory())
		leafsGate.open()
		Expect(w.ends()).To(Succeed())
		nothingLeft(store)
		seen := strings.Count(w.log(), "msg=joined ")
		Expect(seen).To(joined, "%s", w.log())
		Expect(strings.Count(w.log(), "msg=state state=running")).To(And(states, BeNumerically("<=", seen)), "%s", w.log())
	})
})
