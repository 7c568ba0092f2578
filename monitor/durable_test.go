//go:build darwin || linux

package monitor_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"github.com/gemini-monitor/gemini/monitor"
)

var _ = Describe("A durable runtime", func() {
	var store *monitor.Store
	var g *gate

	BeforeEach(func() {
		store = newStore()
		g = newGate()
	})

	run := func(g *gate, edit ...func(*monitor.Creation)) *monitor.Runtime { return durable(store, g, edit...) }
	idle := func() *monitor.Runtime { return idleIn(store) }
	isIdle := func(r *monitor.Runtime) {
		GinkgoHelper()
		expectIdle(store, r)
	}

	It("is idle when its last process has gone, with its directory, and nothing watches it", func() {
		r := idle()
		isIdle(r)
		Expect(r.Watched()).To(BeFalse())
		status, err := statusOf(store, "work")
		Expect(err).NotTo(HaveOccurred())
		Expect(status).To(And(
			HaveField("State", monitor.StateIdle), HaveField("Reason", ""), HaveField("Members", BeEmpty()),
			HaveField("OwnerEnded", true), HaveField("Monitor", BeNil()), HaveField("Durable", true),
		))
		Expect(r.Record()).To(And(HaveField("Marks", BeEmpty()), HaveField("IdleSince", BeTemporally("~", time.Now(), time.Minute))))
		Expect(os.ReadFile(r.Path(monitor.JournalFile))).To(MatchRegexp(`"event":"state","state":"idle"}\n$`))
		Expect(store.History()).To(ConsistOf(And(HaveField("Name", "work"), HaveField("How", monitor.CauseEnded))))
	})

	It("is none while a process lives that the table has lost and that holds the lease", func() {
		r := run(g)
		lease, err := r.HoldLease()
		Expect(err).NotTo(HaveOccurred())
		w := watched(r)
		g.open()
		Eventually(r.Record).Should(HaveField("State", monitor.StateUnknown))
		Expect(lease.Close()).To(Succeed())
		Expect(w.ends()).To(Succeed())
		Expect(r.Record()).To(HaveField("State", monitor.StateIdle))
	})

	It("has a record that a program takes for broken which knows no durable ones", func() {
		text, err := os.ReadFile(idle().Path(monitor.RecordFile))
		Expect(err).NotTo(HaveOccurred())
		var version struct{ Version int }
		Expect(json.Unmarshal(text, &version)).To(Succeed())
		Expect(version.Version).To(Equal(2))
	})

	It("is run again in its place, by its name alone", func() {
		r := idle()
		before, err := r.Record()
		Expect(err).NotTo(HaveOccurred())
		again := run(g, func(c *monitor.Creation) { c.Durable, c.Command = false, []string{"second"} })
		record, err := again.Record()
		Expect(err).NotTo(HaveOccurred())
		Expect(record).To(And(
			HaveField("State", monitor.StateStarting), HaveField("Durable", true), HaveField("Command", []string{"second"}),
			HaveField("Owner", Not(Equal(before.Owner))), HaveField("Made", BeTemporally("==", before.Made)),
			HaveField("Created", BeTemporally(">", before.Created)), HaveField("IdleSince", BeZero()),
		))
		w := watched(again)
		Expect(os.ReadFile(filepath.Join(r.Root(), "file"))).To(Equal([]byte("dear")))
		g.open()
		Expect(w.ends()).To(Succeed())
		isIdle(r)
		Expect(store.History()).To(HaveLen(2))
	})

	It("has no member and no lease of an earlier run when it is run again", func() {
		r := idle()
		other := newGate()
		join(r, start("read -r x <&3", through(other)...).Identity) // as a monitor leaves it that died between
		lease, err := r.HoldLease()
		Expect(err).NotTo(HaveOccurred())
		defer lease.Close()
		Expect(statusOf(store, "work")).To(HaveField("Members", BeEmpty()))
		w := watched(run(g))
		record, err := r.Record()
		Expect(err).NotTo(HaveOccurred())
		Expect(members(store, "work")()).To(Equal([]int{record.Owner.PID}))
		g.open()
		Expect(w.ends()).To(Succeed())
		isIdle(r)
	})

	It("is watched on, and stays, until its record has that it is idle", func() {
		r := run(g)
		w := watched(r)
		record := r.Path(monitor.RecordFile)
		text, err := os.ReadFile(record)
		Expect(err).NotTo(HaveOccurred())
		Expect(os.Remove(record)).To(Succeed())
		directory(0o700, record, "in the way")
		g.open()
		Eventually(w.log).Should(ContainSubstring("state=stopping"))
		Expect(w.done).NotTo(BeClosed())
		Expect(r.Root()).To(BeADirectory())
		clearWay(record, text)
		Expect(w.ends()).To(Succeed())
		Expect(r.Record()).To(HaveField("State", monitor.StateIdle))
		Expect(store.History()).To(HaveLen(1))
	})

	It("is not run again behind a link", func() {
		r := idle()
		elsewhere := filepath.Join(GinkgoT().TempDir(), "work")
		Expect(os.Rename(r.Dir(), elsewhere)).To(Succeed())
		Expect(os.Symlink(elsewhere, r.Dir())).To(Succeed())
		_, err := store.Create(mine("work", nil))
		Expect(err).To(And(MatchError(monitor.ErrExist), MatchError(monitor.ErrUnsafe)))
		Expect(monitor.ReadRecord(elsewhere)).To(HaveField("State", monitor.StateIdle))
	})

	It("is run again by exactly one of many", func() {
		r := idle()
		Expect(makersOf(store, "work", 50)).To(Equal(1))
		Expect(contents(store.Runtimes())).To(Equal([]string{"work"}), "no stage is left")
		Expect(filepath.Join(r.Root(), "file")).To(BeAnExistingFile())
	})

	It("has an on-empty command for one run, which runs before the runtime is idle", func() {
		says := newSlate()
		r := run(g, func(c *monitor.Creation) {
			c.OnEmpty = &monitor.Hook{Command: []string{"/bin/sh", "-c", `grep -c '"state": "stopping"' "$MONITOR_RUNTIME_DIR/../runtime.json" >>"$SLATE"`},
				Environment: []string{"SLATE=" + says.Name(), "PATH=" + os.Getenv("PATH")}, Directory: "/"}
		})
		w := watched(r)
		g.open()
		Expect(w.ends()).To(Succeed())
		Expect(says.words()).To(Equal([]string{"1"}))
		Expect(r.Path(monitor.HookFile)).NotTo(BeAnExistingFile(), "an environment has secrets")
		second := newGate()
		w = watched(run(second))
		second.open()
		Expect(w.ends()).To(Succeed())
		Expect(says.words()).To(HaveLen(1))
	})

	It("is idle when it was stopped", func() {
		w := watched(run(g))
		Expect(w.stops(syscall.SIGKILL, long).returns()).To(Equal(monitor.Remainder{}))
		Expect(w.ends()).To(Succeed())
		r, err := store.Runtime("work")
		Expect(err).NotTo(HaveOccurred())
		Expect(r.Record()).To(And(HaveField("State", monitor.StateIdle), HaveField("Ending", BeNil())))
		Expect(store.History()).To(ConsistOf(HaveField("How", monitor.CauseStop)))
	})

	It("is waited for until it is idle, and a later run is not waited for", func(ctx SpecContext) {
		r := run(g)
		w := watched(r)
		record, err := r.Record()
		Expect(err).NotTo(HaveOccurred())
		gone := make(chan error, 1)
		go func() { gone <- store.Await(ctx, monitor.Wait{Name: "work", Owner: record.Owner}) }()
		g.open()
		Eventually(ctx, gone).Should(Receive(Succeed()))
		Expect(store.Ended("work", record.Owner)).To(HaveField("How", monitor.CauseEnded), "before it is idle")
		Expect(w.ends()).To(Succeed())
		watched(run(newGate()))
		Expect(store.Await(ctx, monitor.Wait{Name: "work", Owner: record.Owner})).To(Succeed())
	}, NodeTimeout(time.Minute))

	Describe("is never deleted", func() {
		It("by a sweep, and by a monitor that looks for what to take over", func() {
			r := idle()
			store.Sweep()
			Expect(watch(r).ends()).To(MatchError(monitor.ErrIdle))
			isIdle(r)
		})

		// over is a runtime whose last run has ended without its monitor.
		DescribeTable("when its run ended unseen: the next monitor makes it idle, and so does the next run", func(edit func(*monitor.Record)) {
			r := idle()
			for _, next := range []func(){
				func() { Expect(watch(r).ends()).To(Succeed()) },
				func() {
					_, err := store.Create(monitor.Creation{Name: "work", Owner: dead()})
					Expect(err).NotTo(HaveOccurred())
					store.Sweep() // the start has died
				},
			} {
				change(r, func(record *monitor.Record) {
					record.State, record.Owner = monitor.StateRunning, dead()
					last := dead()
					record.Monitor = &last
					edit(record)
				})
				next()
				isIdle(r)
			}
		},
			Entry("when its monitor died after its last process", func(*monitor.Record) {}),
			Entry("when its monitor died while it was unknown", func(r *monitor.Record) { r.State, r.Reason = monitor.StateUnknown, "held" }),
			Entry("when its monitor died while it was being made idle", func(r *monitor.Record) { r.State = monitor.StateStopping }),
			Entry("when the machine was started since", rebooted),
		)

		It("when the machine was started since and its journal is damaged", func() {
			r := idle()
			change(r, rebooted)
			Expect(os.WriteFile(r.Path(monitor.JournalFile), []byte("\x00\x00\n"), 0o600)).To(Succeed())
			Expect(statusOf(store, "work")).To(HaveField("State", monitor.StateUnmonitored))
			Expect(watch(r).ends()).To(Succeed())
			isIdle(r)
		})

		It("when its first start died", func() {
			_, err := store.Create(monitor.Creation{Name: "work", Owner: dead(), Durable: true})
			Expect(err).NotTo(HaveOccurred())
			store.Sweep()
			Expect(statusOf(store, "work")).To(HaveField("State", monitor.StateIdle))
			Expect(store.History()).To(BeEmpty(), "its command never began")
		})

		It("and is in the history once, though its monitor died when it had written the line", func() {
			r := idle()
			record, err := r.Record()
			Expect(err).NotTo(HaveOccurred())
			change(r, func(record *monitor.Record) {
				last := dead()
				record.State, record.Monitor = monitor.StateRunning, &last
			})
			Expect(watch(r).ends()).To(Succeed())
			Expect(store.History()).To(ConsistOf(HaveField("Owner", record.Owner)))
		})
	})

	It("is idle or being started, with its file, wherever the process is killed that runs it again", func() {
		r := idle()
		hook := &monitor.Hook{Command: []string{"/bin/sh", "-c", "exit 1"}, Directory: "/"}
		for _, onEmpty := range []*monitor.Hook{nil, hook} {
			for number, all := 0, 1; number <= all; number++ {
				made, steps, err := store.RerunUpTo(monitor.Creation{Name: "work", Owner: dead(), OnEmpty: onEmpty}, number)
				Expect(err).NotTo(HaveOccurred())
				Expect(made).To(HaveLen(number))
				state := types.GomegaMatcher(Equal(monitor.StateIdle))
				if number == steps {
					state = Equal(monitor.StateUnmonitored)
				}
				Expect(statusOf(store, "work")).To(HaveField("State", state), "after %v", made)
				if onEmpty != nil && number == steps {
					break // it is taken over, and its on-empty command runs: see docs/on-empty.md
				}
				store.Sweep()
				isIdle(r)
				all = steps
			}
		}
		Expect(store.History()).To(HaveLen(1), "no command began")
	})
})

// durable makes the durable runtime of a store, or runs it again, with an owner that waits at a
// gate.
func durable(store *monitor.Store, g *gate, edit ...func(*monitor.Creation)) *monitor.Runtime {
	GinkgoHelper()
	c := monitor.Creation{Name: "work", Owner: start("read -r x <&3", through(g)...).Identity, Command: []string{"sh"}, Durable: true}
	for _, change := range edit {
		change(&c)
	}
	r, err := store.Create(c)
	Expect(err).NotTo(HaveOccurred())
	return r
}

// idleIn is the durable runtime of a store after its first run, with a file in its directory.
func idleIn(store *monitor.Store) *monitor.Runtime {
	GinkgoHelper()
	first := newGate()
	r := durable(store, first)
	Expect(os.WriteFile(filepath.Join(r.Root(), "file"), []byte("dear"), 0o600)).To(Succeed())
	w := watched(r)
	first.open()
	Expect(w.ends()).To(Succeed())
	return r
}

// expectIdle expects the runtime of idleIn in its store, and nothing else.
func expectIdle(store *monitor.Store, r *monitor.Runtime) {
	GinkgoHelper()
	Expect(r.Record()).To(HaveField("State", monitor.StateIdle))
	Expect(os.ReadFile(filepath.Join(r.Root(), "file"))).To(Equal([]byte("dear")))
	Expect(contents(store.Runtimes())).To(Equal([]string{"work"}), "no stage is left")
	Expect(contents(store.Trash())).To(BeEmpty())
}
