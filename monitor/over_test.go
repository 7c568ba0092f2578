//go:build darwin || linux

package monitor_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/mark"
	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// rebooted makes a runtime one from before the last start of this machine. Its PIDs
// are those of living processes now.
func rebooted(r *monitor.Record) {
	r.State, r.Owner, r.Monitor = monitor.StateRunning, self(), &process.Identity{PID: os.Getppid(), Boot: "earlier"}
	r.Owner.Boot = "earlier"
}

var _ = Describe("The name of a runtime that is over", func() {
	var store *monitor.Store

	BeforeEach(func() { store = newStore() })

	successor := func() error {
		_, err := store.Create(mine("nightly", []string{"second"}))
		return err
	}

	DescribeTable("is free for the next runtime", func(edit func(*monitor.Record)) {
		change(own(store, "nightly", dead()), edit)
		Expect(successor()).To(Succeed())
		runtime, err := store.Runtime("nightly")
		Expect(err).NotTo(HaveOccurred())
		Expect(runtime.Record()).To(HaveField("Command", []string{"second"}))
		store.Sweep()
		Expect(contents(store.Runtimes())).To(Equal([]string{"nightly"}))
		Expect(contents(store.Trash())).To(BeEmpty())
	},
		Entry("when its start died", func(*monitor.Record) {}),
		Entry("when its monitor died after its last process", func(r *monitor.Record) {
			last := dead()
			r.State, r.Monitor = monitor.StateRunning, &last
		}),
		Entry("when its monitor died while the witnesses disagreed", func(r *monitor.Record) {
			last := dead()
			r.State, r.Reason, r.Monitor = monitor.StateUnknown, "a process holds the lease", &last
		}),
		Entry("when it was made before the machine was last started", rebooted),
		Entry("when its owner's PID is another's now", func(r *monitor.Record) {
			r.Owner = self()
			r.Owner.Start--
		}),
	)

	It("is free when the members by its journal are dead too", func() {
		runtime := own(store, "nightly", dead())
		join(runtime, dead(), dead())
		Expect(successor()).To(Succeed())
	})

	DescribeTable("is free when its start died, and the processes live that were to start a monitor", func(left string) {
		owner := startAs(&syscall.SysProcAttr{Setpgid: true}, left+" & exit", through(newGate())...)
		runtime := own(store, "nightly", owner.Identity)
		change(runtime, func(r *monitor.Record) { r.Marks = []string{mark.New()} }) // as Run does
		owner.wait()
		Expect(successor()).To(Succeed())
	},
		Entry("the first of them", "read -r x <&3"),
		Entry("the first and its child", "{ (read -r x <&3); exit 0; }"),
	)

	It("is free when its monitor takes longer to remove it than a lease is waited for", func() {
		DeferCleanup(monitor.SetClearing(0))
		DeferCleanup(monitor.SetConcluding(generous))
		runtime := own(store, "nightly", dead())
		lock, err := runtime.OpenLock()
		Expect(err).NotTo(HaveOccurred())
		Expect(runtime.Take(lock)).To(Succeed())
		made := make(chan error, 1)
		go func() { made <- successor() }()
		Consistently(made, "100ms").ShouldNot(Receive()) // where the start is slower, the lock is free before
		Expect(lock.Close()).To(Succeed())
		Eventually(made).Should(Receive(BeNil()))
	})

	It("is won by exactly one of many that clear it at once", func() {
		own(store, "nightly", dead())
		Expect(makersOf(store, "nightly", 8)).To(Equal(1))
		Expect(contents(store.Runtimes())).To(Equal([]string{"nightly"}), "no stage is left")
	})

	Describe("stays taken", func() {
		// kept expects that the name stays in use, for a reason, and that nothing of the
		// runtime is touched.
		kept := func(runtime *monitor.Runtime, reason string) {
			GinkgoHelper()
			before, err := os.ReadFile(runtime.Path(monitor.RecordFile))
			Expect(err).NotTo(HaveOccurred())
			err = successor()
			Expect(err).To(MatchError(monitor.ErrExist))
			Expect(err).To(MatchError(MatchRegexp("^runtime \"nightly\" exists already" + reason + "$")))
			Expect(os.ReadFile(runtime.Path(monitor.RecordFile))).To(Equal(before))
			Expect(contents(store.Runtimes())).To(Equal([]string{"nightly"}))
			Expect(runtime.Root()).To(BeADirectory())
		}

		const advice = `.*; "monitor serve nightly" goes on with it`

		It("while its start lives", func() { kept(own(store, "nightly", self()), "") })

		It("while a member by its journal lives, though its monitor died", func() {
			runtime := own(store, "nightly", dead())
			join(runtime, start("read -r x <&3", through(newGate())...).Identity)
			kept(runtime, ": it has live processes and no monitor"+advice)
		})

		It("while its owner lives, though its monitor died", func() {
			runtime := own(store, "nightly", self())
			last := dead()
			change(runtime, func(r *monitor.Record) { r.State, r.Monitor = monitor.StateRunning, &last })
			kept(runtime, ": it has live processes and no monitor"+advice)
		})

		It("while the table shows a member that no monitor wrote down", func() {
			g := newGate()
			owner := startAs(&syscall.SysProcAttr{Setpgid: true}, "read -r x <&3 & exit", through(g)...)
			runtime := own(store, "nightly", owner.Identity)
			owner.wait()
			kept(runtime, ": it has live processes and no monitor"+advice)
			g.open()
			Eventually(successor).Should(Succeed())
		})

		It("while the table shows a member, and its monitor had begun before it died", func() {
			g := newGate()
			owner := startAs(&syscall.SysProcAttr{Setpgid: true}, "read -r x <&3 & exit", through(g)...)
			runtime := own(store, "nightly", owner.Identity)
			last := dead()
			change(runtime, func(r *monitor.Record) {
				r.State, r.Monitor, r.Marks = monitor.StateRunning, &last, []string{mark.New()}
			})
			owner.wait()
			kept(runtime, ": it has live processes and no monitor: [0-9]+ sh; \"monitor why nightly\" shows why they count, \"monitor stop nightly\" ends them; \"monitor serve nightly\" goes on with it")
			g.open()
			Eventually(successor).Should(Succeed())
		})

		It("while a process that the table does not show as a member holds the lease", func() {
			runtime := own(store, "nightly", dead())
			lease := hold(runtime)
			kept(runtime, ": .*holds the lease"+advice)
			Expect(lease.Close()).To(Succeed())
			Expect(successor()).To(Succeed())
		})

		It("for the right reason also where the machine is too slow for a second look", func() {
			DeferCleanup(monitor.SetClearing(0))
			runtime := own(store, "nightly", dead())
			lease := hold(runtime)
			kept(runtime, ": .*holds the lease"+advice)
			Expect(lease.Close()).To(Succeed())
			Expect(successor()).To(Succeed())
		})

		It("while another process has it locked", func() {
			DeferCleanup(monitor.SetConcluding(100 * time.Millisecond))
			runtime := own(store, "nightly", dead())
			lock, err := runtime.OpenLock()
			Expect(err).NotTo(HaveOccurred())
			Expect(runtime.Take(lock)).To(Succeed())
			kept(runtime, "")
			Expect(lock.Close()).To(Succeed())
			Expect(successor()).To(Succeed())
		})

		It("while its monitor does not know whether it is over", func() {
			runtime := own(store, "nightly", dead())
			lease := hold(runtime)
			w := watched(runtime)
			Eventually(runtime.Record).Should(HaveField("State", monitor.StateUnknown))
			kept(runtime, "")
			Expect(lease.Close()).To(Succeed())
			Expect(w.ends()).To(Succeed())
		})

		It("where it is another machine's", func() {
			runtime := own(store, "nightly", dead())
			change(runtime, func(r *monitor.Record) { r.Owner.Boot, r.Machine = "another one", "another one" })
			kept(runtime, ": its processes cannot be seen from here: it was made on .*; use another name, or delete .*/nightly if it is not needed")
		})

		It("where its record is broken", func() {
			runtime := own(store, "nightly", dead())
			Expect(os.Truncate(runtime.Path(monitor.RecordFile), 3)).To(Succeed())
			kept(runtime, ": .*has a broken record.*; delete .*/nightly if it is not needed")
		})

		It("where its journal is broken", func() {
			runtime := own(store, "nightly", dead())
			Expect(os.WriteFile(runtime.Path(monitor.JournalFile), []byte("?\n"), 0o600)).To(Succeed())
			kept(runtime, ": .*journal.*; delete .*/nightly if it is not needed")
		})

		It("for a process that carries its mark", func() {
			runtime := own(store, "nightly", dead())
			marks := []string{mark.New(), mark.New()}
			change(runtime, func(r *monitor.Record) { r.Marks = marks })
			GinkgoT().Setenv(mark.Variable, mark.Value(append(marks, mark.New())))
			kept(runtime, ": this process is a member of it"+advice)
		})

		It("for a process that is its last member itself", func() {
			program, err := os.Executable()
			Expect(err).NotTo(HaveOccurred())
			report, theirs, err := os.Pipe()
			Expect(err).NotTo(HaveOccurred())
			defer report.Close()
			// The founder leads a session and ends. The maker, its child, is in the session.
			founder := exec.Command(program, rolePrefix+"founder", store.Dir(), "nightly")
			founder.SysProcAttr, founder.Stderr = &syscall.SysProcAttr{Setsid: true}, theirs
			input, err := founder.StdinPipe()
			Expect(err).NotTo(HaveOccurred())
			Expect(founder.Start()).To(Succeed())
			theirs.Close()
			row, err := process.Lookup(founder.Process.Pid)
			Expect(err).NotTo(HaveOccurred())
			runtime := own(store, "nightly", row.Identity)
			_, err = founder.Process.Wait() // Wait of the command would end the input
			Expect(err).NotTo(HaveOccurred())
			Expect(input.Close()).To(Succeed())
			Expect(report.SetReadDeadline(time.Now().Add(generous))).To(Succeed())
			Expect(io.ReadAll(report)).To(ContainSubstring(
				`"nightly" exists already: this process is a member of it; "monitor serve nightly" goes on with it`))
			Expect(runtime.Root()).To(BeADirectory())
		})
	})

	It("has the reason in the status", func() {
		runtime := own(store, "nightly", dead())
		Expect(statusOf(store, "nightly")).To(And(HaveField("State", monitor.StateUnmonitored), HaveField("Reason",
			`none of its known processes lives; "monitor serve nightly" or the next run of that name removes it`)))
		join(runtime, self())
		Expect(statusOf(store, "nightly")).To(And(HaveField("State", monitor.StateUnmonitored), HaveField("Reason",
			`its monitor has ended; "monitor serve nightly" goes on with it`)))
	})
})

var _ = Describe("A start that died", func() {
	It("is cleared by a sweep, and a runtime that had a monitor is not", func() {
		store := newStore()
		own(store, "died", dead())
		last := dead()
		change(own(store, "rebooted", dead()), rebooted)
		change(own(store, "unmonitored", dead()), func(r *monitor.Record) { r.Monitor = &last })
		own(store, "starting", self())
		lease := hold(own(store, "held", dead()))
		defer lease.Close()
		store.Sweep()
		Expect(contents(store.Runtimes())).To(ConsistOf("rebooted", "unmonitored", "starting", "held"))
		Expect(contents(store.Trash())).To(BeEmpty())
	})
})

// makersOf has many make a runtime of one name at once, and returns how many have made it. The
// others were told that it exists.
func makersOf(store *monitor.Store, name string, many int) int {
	GinkgoHelper()
	var makers sync.WaitGroup
	var made atomic.Int32
	begin := make(chan struct{})
	for i := range many {
		makers.Go(func() {
			defer GinkgoRecover()
			<-begin
			_, err := store.Create(mine(name, []string{fmt.Sprint(i)}))
			if err == nil {
				made.Add(1)
				return
			}
			Expect(err).To(MatchError(monitor.ErrExist))
		})
	}
	close(begin)
	makers.Wait()
	return int(made.Load())
}
