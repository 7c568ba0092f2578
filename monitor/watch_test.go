//go:build darwin || linux

package monitor_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker"
)

// A watching is a monitor at work in this process.
type watching struct {
	stop  context.CancelFunc
	ready chan struct{}
	done  chan struct{}
	err   error // once done is closed
}

// watch begins to watch a runtime. It ends with the spec at the latest.
func watch(r *monitor.Runtime) *watching {
	ctx, stop := context.WithCancel(context.Background())
	w := &watching{stop: stop, ready: make(chan struct{}), done: make(chan struct{})}
	log := slog.New(slog.NewTextHandler(GinkgoWriter, &slog.HandlerOptions{Level: slog.LevelDebug}))
	go func() {
		defer GinkgoRecover()
		defer close(w.done)
		w.err = r.Watch(ctx, log, sync.OnceFunc(func() { close(w.ready) }))
	}()
	DeferCleanup(func() {
		stop()
		Eventually(w.done).Should(BeClosed())
	})
	return w
}

// watched begins to watch a runtime and returns when it is being watched.
func watched(r *monitor.Runtime) *watching {
	GinkgoHelper()
	w := watch(r)
	Eventually(w.ready).Should(BeClosed())
	return w
}

// ends waits until the monitor has ended.
func (w *watching) ends() error {
	GinkgoHelper()
	Eventually(w.done).Should(BeClosed())
	return w.err
}

// members returns the PIDs of the live members, as anybody can see them.
func members(s *monitor.Store, name string) func() ([]int, error) {
	return func() ([]int, error) {
		survey, err := s.Survey()
		if err != nil {
			return nil, err
		}
		r, err := s.Runtime(name)
		if err != nil {
			return nil, err
		}
		status, err := survey.Status(r)
		pids := []int{}
		for _, m := range status.Members {
			pids = append(pids, m.PID)
		}
		return pids, err
	}
}

// entries returns the journal of a runtime.
func entries(r *monitor.Runtime) (all []monitor.Entry) {
	GinkgoHelper()
	text, err := os.ReadFile(r.Path(monitor.JournalFile))
	Expect(err).NotTo(HaveOccurred())
	whole := text[:bytes.LastIndexByte(text, '\n')+1]
	for decoder := json.NewDecoder(bytes.NewReader(whole)); decoder.More(); {
		var e monitor.Entry
		Expect(decoder.Decode(&e)).To(Succeed())
		all = append(all, e)
	}
	return all
}

// childOf returns who joined as a child of a process, by the journal.
func childOf(r *monitor.Runtime, parent tracker.Identity) tracker.Identity {
	GinkgoHelper()
	for _, e := range entries(r) {
		if e.Event == tracker.Joined && e.Member.Link.Through == parent {
			return e.Member.Identity
		}
	}
	Fail(fmt.Sprintf("no child of %v in the journal", parent))
	return tracker.Identity{}
}

// forks tells what the kernel says of forks here.
func forks() tracker.Forks {
	GinkgoHelper()
	t, err := tracker.New()
	Expect(err).NotTo(HaveOccurred())
	defer t.Close()
	return t.Capabilities().Forks
}

// lives reports whether a process is neither gone nor a zombie.
func lives(id tracker.Identity) (bool, error) {
	row, err := tracker.Lookup(id.PID)
	if errors.Is(err, tracker.ErrGone) {
		return false, nil
	}
	return row.Identity == id && row.State != tracker.Zombie, err
}

var _ = Describe("A monitor", func() {
	var store *monitor.Store

	BeforeEach(func() { store = newStore() })

	It("removes the runtime when the last process has gone", func() {
		g := newGate()
		runtime := own(store, "build", start("read -r x <&3", through(g)...).Identity)
		w := watched(runtime)
		Expect(runtime.Record()).To(And(
			HaveField("State", monitor.Running),
			HaveField("Reason", ""),
			HaveField("Monitor", HaveValue(Equal(self()))),
		))
		g.open()
		Expect(w.ends()).To(Succeed())
		nothingLeft(store)
	})

	It("counts what the owner left behind, until that has gone too", func() {
		ownersGate, orphansGate := newGate(), newGate()
		owner := start("read -r x <&5 & read -r x <&3", through(ownersGate, orphansGate)...)
		runtime := own(store, "build", owner.Identity)
		w := watched(runtime)
		Eventually(members(store, "build")).Should(And(HaveLen(2), ContainElement(owner.PID)))
		ownersGate.open()
		owner.wait()
		Eventually(members(store, "build")).Should(And(HaveLen(1), Not(ContainElement(owner.PID))))
		Expect(runtime.Record()).To(HaveField("State", monitor.Running))
		Expect(runtime.Root()).To(BeADirectory())
		Expect(w.done).NotTo(BeClosed())
		orphansGate.open()
		Expect(w.ends()).To(Succeed())
		nothingLeft(store)
	})

	It("writes down who joined, through what, and who left", func() {
		ownersGate, childsGate, secondGate := newGate(), newGate(), newGate()
		owner := start("read -r x <&5 & read -r x <&3", through(ownersGate, childsGate, secondGate)...)
		runtime := own(store, "build", owner.Identity)
		watched(runtime)
		childsGate.open()
		Eventually(func() []monitor.Entry { return entries(runtime) }).Should(HaveLen(3))
		all := entries(runtime)
		joined := func(who, through any) OmegaMatcher {
			return And(HaveField("Event", tracker.Joined), HaveField("Member.Identity", who), HaveField("Member.Link", through))
		}
		child := all[2].Member.Identity
		Expect(all[2].Event).To(Equal(tracker.Left))
		Expect(all[:2]).To(ConsistOf(
			joined(owner.Identity, tracker.Link{Kind: tracker.LinkRoot}),
			joined(child, tracker.Link{Kind: tracker.LinkParent, Through: owner.Identity}),
		))
	})

	It("takes a zombie for dead", func() {
		g := newGate()
		owner := start("read -r x <&3", through(g)...)
		w := watched(own(store, "build", owner.Identity))
		g.open()
		Expect(w.ends()).To(Succeed())
		Expect(tracker.Lookup(owner.PID)).To(HaveField("State", tracker.Zombie), "nobody has reaped it")
	})

	Describe("where the witnesses disagree", func() {
		// A holder is no descendant of the owner, so the table never shows it.
		holder := func(r *monitor.Runtime) *child {
			GinkgoHelper()
			lease, err := r.HoldLease()
			Expect(err).NotTo(HaveOccurred())
			defer lease.Close()
			return start("exec cat <&3", append(through(newGate()), lease)...)
		}

		unknown := And(HaveField("State", monitor.Unknown), HaveField("Reason", ContainSubstring("holds the lease")))

		It("keeps the runtime, says why, and removes it when the lease is let go", func() {
			g := newGate()
			owner := start("read -r x <&3", through(g)...)
			runtime := own(store, "build", owner.Identity)
			h := holder(runtime)
			w := watched(runtime)
			Expect(runtime.Record()).To(HaveField("State", monitor.Running))
			g.open()
			Eventually(runtime.Record).Should(unknown)
			Expect(runtime.Root()).To(BeADirectory())
			Expect(w.done).NotTo(BeClosed())
			h.kill()
			Expect(w.ends()).To(Succeed())
			nothingLeft(store)
		})

		It("keeps it also from the beginning, with nobody ever seen", func() {
			runtime := own(store, "build", dead())
			h := holder(runtime)
			w := watched(runtime)
			Eventually(runtime.Record).Should(unknown)
			Expect(w.done).NotTo(BeClosed())
			h.kill()
			Expect(w.ends()).To(Succeed())
			nothingLeft(store)
		})

		It("leaves it as it is when told to stop", func() {
			runtime := own(store, "build", dead())
			holder(runtime)
			w := watched(runtime)
			Eventually(runtime.Record).Should(unknown)
			w.stop()
			Expect(w.ends()).To(MatchError(context.Canceled))
			Expect(runtime.Record()).To(unknown)
			Expect(runtime.Root()).To(BeADirectory())
		})

		It("goes back to running when the table shows somebody after all", func() {
			ownersGate, middlesGate, leafsGate := newGate(), newGate(), newGate()
			owner := startAs(&syscall.SysProcAttr{Setpgid: true}, "read -r x <&3", through(ownersGate)...)
			runtime := own(store, "build", owner.Identity)
			lease, err := runtime.HoldLease()
			Expect(err).NotTo(HaveOccurred())
			// A stranger in the owner's group has a child there, which becomes
			// an orphan, and so a member, when the stranger ends.
			startAs(&syscall.SysProcAttr{Setpgid: true, Pgid: owner.PID},
				"read -r x <&5 & read -r x <&3; exit", append(through(middlesGate, leafsGate), lease)...)
			Expect(lease.Close()).To(Succeed())
			w := watched(runtime)
			ownersGate.open()
			Eventually(runtime.Record).Should(unknown)
			middlesGate.open()
			// Where each fork is named, the stranger's child is known to be none of
			// ours. Elsewhere nobody can tell, and it counts.
			if forks() != tracker.ForksNamed {
				Eventually(runtime.Record).Should(And(HaveField("State", monitor.Running), HaveField("Reason", "")))
				Eventually(members(store, "build")).Should(HaveLen(1))
			}
			leafsGate.open()
			Expect(w.ends()).To(Succeed())
			nothingLeft(store)
		})
	})

	Describe("told to stop", func() {
		It("leaves processes and runtime as they are, and the next one goes on", func() {
			g := newGate()
			owner := start("read -r x <&3", through(g)...)
			runtime := own(store, "build", owner.Identity)
			first := watched(runtime)
			Eventually(func() []monitor.Entry { return entries(runtime) }).Should(HaveLen(1))
			record, err := runtime.Record()
			Expect(err).NotTo(HaveOccurred())
			first.stop()
			Expect(first.ends()).To(And(MatchError(context.Canceled), MatchError(ContainSubstring(`runtime "build" is left as it is`))))
			Expect(runtime.Record()).To(Equal(record))
			Expect(entries(runtime)).To(HaveLen(1))
			Expect(tracker.Lookup(owner.PID)).To(HaveField("State", tracker.Running))
			second := watched(runtime)
			g.open()
			Expect(second.ends()).To(Succeed())
			nothingLeft(store)
		})

		It("before it has begun leaves the runtime as it is", func() {
			runtime := own(store, "build", dead())
			ended, cancel := context.WithCancel(context.Background())
			cancel()
			Expect(runtime.Watch(ended, slog.New(slog.DiscardHandler), nil)).To(MatchError(context.Canceled))
			Expect(runtime.Record()).To(HaveField("State", monitor.Starting))
		})
	})

	Describe("that comes after another", func() {
		// Each job gets a group of its own. dash would want a terminal for that.
		const inGroups = "exec bash -c 'set -m; "

		BeforeEach(func() {
			if _, err := exec.LookPath("bash"); err != nil {
				Skip("bash is not installed")
			}
		})

		It("goes on with the orphans of an owner that died meanwhile", func() {
			ownersGate, orphansGate := newGate(), newGate()
			owner := start("read -r x <&5 & read -r x <&3", through(ownersGate, orphansGate)...)
			runtime := own(store, "build", owner.Identity)
			first := watched(runtime)
			Eventually(func() []monitor.Entry { return entries(runtime) }).Should(HaveLen(2))
			first.stop()
			Expect(first.ends()).To(MatchError(context.Canceled))
			owner.kill()
			second := watched(runtime)
			Expect(members(store, "build")()).To(HaveLen(1))
			all := entries(runtime)
			Expect(all).To(HaveLen(3), "the owner's end is caught up on, nobody joins twice: %v", all)
			Expect(all[2]).To(And(HaveField("Event", tracker.Left), HaveField("Member.Identity", owner.Identity)))
			survey, err := store.Survey()
			Expect(err).NotTo(HaveOccurred())
			status, err := survey.Status(runtime)
			Expect(err).NotTo(HaveOccurred())
			Expect(status.Members[0].Link).To(Equal(tracker.Link{Kind: tracker.LinkParent, Through: owner.Identity}), "the first link stays")
			orphansGate.open()
			Expect(second.ends()).To(Succeed())
			nothingLeft(store)
		})

		It("finds an orphan in the group of a member that died meanwhile", func() {
			middlesGate, orphansGate := newGate(), newGate()
			owner := start(inGroups+"(read -r y <&3; read -r x <&5 & exit) & read -r x <&5'", through(middlesGate, orphansGate)...)
			runtime := own(store, "build", owner.Identity)
			first := watched(runtime)
			Eventually(func() []monitor.Entry { return entries(runtime) }).Should(HaveLen(2))
			middle := childOf(runtime, owner.Identity)
			first.stop()
			Expect(first.ends()).To(MatchError(context.Canceled))
			middlesGate.open()
			Eventually(lives).WithArguments(middle).Should(BeFalse())
			owner.kill()
			second := watched(runtime)
			Eventually(members(store, "build")).Should(HaveLen(1))
			orphansGate.open()
			Expect(second.ends()).To(Succeed())
			nothingLeft(store)
		})

		It("finds an orphan in a group whose leader died before that", func() {
			leadersGate, middlesGate, orphansGate := newGate(), newGate(), newGate()
			owner := start(inGroups+"((read -r y <&5; read -r x <&7 & exit) & read -r y <&3) & read -r x <&7'",
				through(leadersGate, middlesGate, orphansGate)...)
			runtime := own(store, "build", owner.Identity)
			first := watched(runtime)
			Eventually(func() []monitor.Entry { return entries(runtime) }).Should(HaveLen(3))
			leadersGate.open()
			Eventually(members(store, "build")).Should(HaveLen(2))
			first.stop()
			Expect(first.ends()).To(MatchError(context.Canceled))
			middlesGate.open()
			middle := childOf(runtime, childOf(runtime, owner.Identity))
			Eventually(lives).WithArguments(middle).Should(BeFalse())
			owner.kill()
			second := watched(runtime)
			Eventually(members(store, "build")).Should(HaveLen(1))
			orphansGate.open()
			Expect(second.ends()).To(Succeed())
			nothingLeft(store)
		})

		It("removes the runtime when nobody is left", func() {
			g := newGate()
			owner := start("read -r x <&3", through(g)...)
			runtime := own(store, "build", owner.Identity)
			first := watched(runtime)
			first.stop()
			Expect(first.ends()).To(MatchError(context.Canceled))
			g.open()
			owner.wait()
			Expect(watch(runtime).ends()).To(Succeed())
			nothingLeft(store)
		})

		It("says running where the other could not tell", func() {
			runtime := own(store, "build", start("read -r x <&3", through(newGate())...).Identity)
			change(runtime, func(r *monitor.Record) { r.State, r.Reason = monitor.Unknown, "of old" })
			watched(runtime)
			Expect(runtime.Record()).To(And(HaveField("State", monitor.Running), HaveField("Reason", "")))
		})
	})

	It("is the only one: a second is told who the first is", func() {
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

	Describe("of an owner that died before", func() {
		It("removes the runtime when it left nobody", func() {
			Expect(watch(own(store, "build", dead())).ends()).To(Succeed())
			nothingLeft(store)
		})

		It("keeps the runtime for those in the group the owner led", func() {
			g := newGate()
			owner := startAs(&syscall.SysProcAttr{Setpgid: true}, "read -r x <&3 & exit", through(g)...)
			runtime := own(store, "build", owner.Identity)
			owner.wait()
			w := watched(runtime)
			Expect(members(store, "build")()).To(HaveLen(1))
			Expect(entries(runtime)[0].Member.Link).To(Equal(tracker.Link{Kind: tracker.LinkGroup, Through: owner.Identity}))
			g.open()
			Expect(w.ends()).To(Succeed())
			nothingLeft(store)
		})
	})

	Describe("of an owner whose PID is another's now", func() {
		It("neither waits for the stranger nor counts it", func() {
			stranger := start("read -r x <&3", through(newGate())...)
			owner := stranger.Identity
			owner.Start--
			Expect(watch(own(store, "build", owner)).ends()).To(Succeed())
			nothingLeft(store)
			Expect(tracker.Lookup(stranger.PID)).To(HaveField("State", tracker.Running))
		})
	})

	Describe("of an owner of an earlier boot", func() {
		earlier := func(id tracker.Identity) tracker.Identity {
			id.Boot = "an earlier one"
			return id
		}

		It("removes the runtime, whatever process has that PID now", func() {
			stranger := start("read -r x <&3", through(newGate())...)
			Expect(watch(own(store, "build", earlier(stranger.Identity))).ends()).To(Succeed())
			nothingLeft(store)
			Expect(tracker.Lookup(stranger.PID)).To(HaveField("State", tracker.Running))
		})

		It("removes the runtime though the PID names a group of today", func() {
			g := newGate()
			leader := startAs(&syscall.SysProcAttr{Setsid: true}, "read -r x <&3 & exit", through(g)...)
			leader.wait()
			Expect(watch(own(store, "build", earlier(leader.Identity))).ends()).To(Succeed())
			nothingLeft(store)
		})

		It("keeps the runtime while somebody holds its lease", func() {
			runtime := own(store, "build", earlier(dead()))
			lease, err := runtime.HoldLease()
			Expect(err).NotTo(HaveOccurred())
			w := watched(runtime)
			Eventually(runtime.Record).Should(HaveField("State", monitor.Unknown))
			Expect(runtime.Root()).To(BeADirectory())
			Expect(lease.Close()).To(Succeed())
			Expect(w.ends()).To(Succeed())
			nothingLeft(store)
		})
	})

	Describe("that cannot do its work leaves everything as it is:", func() {
		var runtime *monitor.Runtime

		BeforeEach(func() { runtime = own(store, "build", dead()) })

		kept := func() {
			GinkgoHelper()
			Expect(contents(runtime.Dir())).To(ContainElements("root", monitor.LogFile))
			Expect(contents(store.Trash())).To(BeEmpty())
		}

		It("the record is broken", func() {
			Expect(os.WriteFile(runtime.Path(monitor.RecordFile), []byte("?"), 0o600)).To(Succeed())
			err := watch(runtime).ends()
			Expect(err).To(And(MatchError(monitor.ErrBroken), MatchError(HavePrefix(`runtime "build" `))))
			Expect(os.ReadFile(runtime.Path(monitor.RecordFile))).To(Equal([]byte("?")))
			kept()
		})

		It("the journal is broken", func() {
			Expect(os.WriteFile(runtime.Path(monitor.JournalFile), []byte("?\n"), 0o600)).To(Succeed())
			Expect(watch(runtime).ends()).To(MatchError(monitor.ErrBroken))
			Expect(os.ReadFile(runtime.Path(monitor.JournalFile))).To(Equal([]byte("?\n")))
			kept()
		})

		DescribeTable("a file is missing", func(file string) {
			Expect(os.Remove(runtime.Path(file))).To(Succeed())
			err := watch(runtime).ends()
			Expect(err).To(HaveOccurred())
			Expect(err).To(MatchError(HavePrefix(`runtime "build" `)))
			kept()
		},
			Entry(nil, monitor.RecordFile),
			Entry(nil, monitor.JournalFile),
			Entry(nil, monitor.LeaseFile),
			Entry(nil, monitor.LockFile),
		)

		It("the runtime cannot be moved to the trash, which the record then says", func() {
			Expect(os.Remove(store.Trash())).To(Succeed())
			Expect(os.WriteFile(store.Trash(), nil, 0o600)).To(Succeed())
			Expect(watch(runtime).ends()).To(MatchError(HavePrefix(`remove runtime "build": `)))
			Expect(runtime.Record()).To(And(HaveField("State", monitor.Stopping), HaveField("Reason", Not(BeEmpty()))))
			Expect(runtime.Root()).To(BeADirectory())
			Expect(os.Remove(store.Trash())).To(Succeed())
			Expect(os.Mkdir(store.Trash(), 0o700)).To(Succeed())
			Expect(watch(runtime).ends()).To(Succeed(), "the next one finishes it")
			nothingLeft(store)
		})
	})

	It("of a runtime that is gone says so", func() {
		runtime := own(store, "build", dead())
		Expect(runtime.Remove()).To(Succeed())
		Expect(watch(runtime).ends()).To(MatchError(monitor.ErrNotExist))
	})

	It("whose runtime was removed by hand removes no other of that name", func() {
		g := newGate()
		runtime := own(store, "build", start("read -r x <&3", through(g)...).Identity)
		w := watched(runtime)
		Expect(os.RemoveAll(runtime.Dir())).To(Succeed())
		second := own(store, "build", start("read -r x <&3", through(newGate())...).Identity)
		record, err := second.Record()
		Expect(err).NotTo(HaveOccurred())
		g.open()
		Eventually(w.done).Should(BeClosed())
		Expect(second.Root()).To(BeADirectory())
		Expect(second.Record()).To(Equal(record))
	})

	It("whose runtime was removed by hand ends with the last process, without an error", func() {
		g := newGate()
		runtime := own(store, "build", start("read -r x <&3", through(g)...).Identity)
		w := watched(runtime)
		Expect(os.RemoveAll(runtime.Dir())).To(Succeed())
		g.open()
		Expect(w.ends()).To(Succeed())
		nothingLeft(store)
	})

	It("does not follow a link out of the runtime when it removes that", func() {
		g := newGate()
		runtime := own(store, "build", start("read -r x <&3", through(g)...).Identity)
		w := watched(runtime)
		outside := filepath.Join(GinkgoT().TempDir(), "dear")
		Expect(os.Mkdir(outside, 0o700)).To(Succeed())
		Expect(os.Symlink(outside, filepath.Join(runtime.Root(), "link"))).To(Succeed())
		g.open()
		Expect(w.ends()).To(Succeed())
		Expect(outside).To(BeADirectory())
	})
})
