//go:build darwin || linux

package monitor_test

import (
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/mark"
	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

var _ = Describe("A monitor", func() {
	var store *monitor.Store

	BeforeEach(func() { store = newStore() })

	Describe("of an owner that died before", func() {
		It("removes the runtime when it left no process", func() {
			Expect(watch(own(store, "build", dead())).ends()).To(Succeed())
			nothingLeft(store)
		})

		It("keeps the runtime for the processes in the group the owner led", func() {
			g := newGate()
			owner := startAs(&syscall.SysProcAttr{Setpgid: true}, "read -r x <&3 & exit", through(g)...)
			runtime := own(store, "build", owner.Identity)
			owner.wait()
			w := watched(runtime)
			Eventually(members(store, "build")).Should(HaveLen(1)) // it writes them down after it watches
			Expect(entries(runtime)[0].Member.Link).To(Equal(trees.Link{Kind: trees.LinkGroup, Through: owner.Identity}))
			g.open()
			Expect(w.ends()).To(Succeed())
			nothingLeft(store)
		})
	})

	It("counts no process where the start died before there was a monitor", func() {
		g := newGate()
		owner := startAs(&syscall.SysProcAttr{Setpgid: true}, "read -r x <&3 & exit", through(g)...)
		runtime := own(store, "build", owner.Identity)
		change(runtime, func(r *monitor.Record) { r.Marks = []string{mark.New()} }) // as Run does
		owner.wait()
		Expect(watch(runtime).ends()).To(Succeed())
		nothingLeft(store)
	})

	Describe("of an owner that waits to become the command", func() {
		It("watches no later runtime of the same name", func() {
			runtime := own(store, "build", start("read -r x <&3", through(newGate())...).Identity)
			Expect(watchAs(runtime, monitor.Options{Owner: dead()}).ends()).To(MatchError(monitor.ErrNotExist))
			Expect(watchAs(runtime, monitor.Options{Owner: dead(), Waits: true}).ends()).To(MatchError(monitor.ErrNotExist))
			watched(runtime).leaves()
		})

		It("counts no child that the owner has already, and neither does a later monitor", func() {
			owners, earlier := newGate(), newGate()
			owner := startAs(&syscall.SysProcAttr{Setpgid: true}, "read -r x <&5 & read -r x <&3; exit", through(owners, earlier)...)
			var child process.Identity
			Eventually(func() (process.Identity, error) {
				var err error
				child, err = onlyChild(owner.PID)
				return child, err
			}).ShouldNot(BeZero())
			runtime := own(store, "build", owner.Identity)
			first := watchAs(runtime, monitor.Options{Owner: owner.Identity, Waits: true})
			Eventually(first.ready).Should(BeClosed())
			Expect(members(store, "build")()).To(ConsistOf(owner.PID))
			Expect(runtime.Record()).To(HaveField("Strangers", ContainElement(child)))
			first.leaves()
			second := watched(runtime)
			Expect(members(store, "build")()).To(ConsistOf(owner.PID))
			owners.open()
			Expect(second.ends()).To(Succeed())
			nothingLeft(store)
			Expect(lives(child)).To(BeTrue(), "the spec proves nothing: the child has ended")
		})
	})

	Describe("of an owner whose PID is another's now", func() {
		It("neither waits for the stranger nor counts it", func() {
			stranger := start("read -r x <&3", through(newGate())...)
			owner := stranger.Identity
			owner.Start--
			Expect(watch(own(store, "build", owner)).ends()).To(Succeed())
			nothingLeft(store)
			Expect(process.Lookup(stranger.PID)).To(HaveField("State", process.Running))
		})
	})

	Describe("of an owner of an earlier boot", func() {
		earlier := func(id process.Identity) process.Identity {
			id.Boot = "an earlier one"
			return id
		}

		It("removes the runtime, whatever process has that PID now", func() {
			stranger := start("read -r x <&3", through(newGate())...)
			Expect(watch(own(store, "build", earlier(stranger.Identity))).ends()).To(Succeed())
			nothingLeft(store)
			Expect(process.Lookup(stranger.PID)).To(HaveField("State", process.Running))
		})

		It("removes the runtime though the PID names a group of today", func() {
			g := newGate()
			leader := startAs(&syscall.SysProcAttr{Setsid: true}, "read -r x <&3 & exit", through(g)...)
			leader.wait()
			Expect(watch(own(store, "build", earlier(leader.Identity))).ends()).To(Succeed())
			nothingLeft(store)
		})

		It("keeps the runtime while a process holds its lease", func() {
			runtime := own(store, "build", earlier(dead()))
			lease := hold(runtime)
			w := watched(runtime)
			Eventually(runtime.Record).Should(HaveField("State", monitor.StateUnknown))
			Expect(runtime.Root()).To(BeADirectory())
			Expect(lease.Close()).To(Succeed())
			Expect(w.ends()).To(Succeed())
			nothingLeft(store)
		})
	})
})

// onlyChild returns the child of a process, if it has one.
func onlyChild(pid int) (process.Identity, error) {
	rows, err := process.Table()
	for _, p := range rows {
		if p.Parent == pid {
			return p.Identity, nil
		}
	}
	return process.Identity{}, err
}
