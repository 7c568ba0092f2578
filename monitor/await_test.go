//go:build darwin || linux

package monitor_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("Waiting for a runtime to be gone", func() {
	var store *monitor.Store
	var door *gate
	var owner *child
	var runtime *monitor.Runtime

	BeforeEach(func() {
		store, door = newStore(), newGate()
		owner = start("read -r x <&3", through(door)...)
		runtime = own(store, "build", owner.Identity)
	})

	// begin begins to wait, until the end of the spec at the latest.
	begin := func(w monitor.Wait) <-chan error {
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan error, 1)
		w.Name, w.Owner = "build", owner.Identity
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			done <- store.Await(ctx, w)
		}()
		DeferCleanup(func() {
			stop()
			Eventually(ended).Should(BeClosed())
		})
		return done
	}

	// unmonitored makes the runtime one whose monitor has died.
	unmonitored := func() {
		change(runtime, func(r *monitor.Record) {
			r.State, r.Monitor = monitor.StateRunning, &process.Identity{PID: os.Getppid(), Start: 1, Boot: self().Boot}
		})
	}

	It("ends when its monitor has removed it and deleted its files", func() {
		w := watched(runtime)
		done := begin(monitor.Wait{})
		Consistently(done).ShouldNot(Receive())
		door.open()
		Eventually(done).Should(Receive(BeNil()))
		Expect(contents(store.Runtimes())).To(BeEmpty())
		Expect(w.ends()).To(Succeed())
		nothingLeft(store)
	})

	It("ends at once where it is gone before", func() {
		Expect(runtime.Remove()).To(Succeed())
		Eventually(begin(monitor.Wait{})).Should(Receive(BeNil()))
	})

	It("is not for a later runtime of the same name", func() {
		done := begin(monitor.Wait{})
		Consistently(done).ShouldNot(Receive())
		Expect(runtime.Remove()).To(Succeed())
		own(store, "build", self())
		Eventually(done).Should(Receive(BeNil()))
		Eventually(begin(monitor.Wait{})).Should(Receive(BeNil()))
	})

	It("goes on in the trash, until the files are deleted", func() {
		done := begin(monitor.Wait{})
		Expect(store.SetAside(runtime)).To(Succeed())
		own(store, "build", self())
		Consistently(done).ShouldNot(Receive())
		Eventually(begin(monitor.Wait{})).ShouldNot(Receive(), "one that begins now waits too")
		Expect(store.Find("build")).To(HaveField("Owner", self()))
		store.Sweep()
		Eventually(done).Should(Receive(BeNil()))
	})

	It("ends where it is removed by hand", func() {
		done := begin(monitor.Wait{})
		Consistently(done).ShouldNot(Receive())
		Expect(os.RemoveAll(runtime.Dir())).To(Succeed())
		Eventually(done).Should(Receive(BeNil()))
	})

	It("ends without a report too", func() {
		w := watched(runtime)
		done := make(chan error, 1)
		ctx, stop := context.WithCancel(context.Background())
		defer stop()
		go func() { done <- store.AwaitUnreported(ctx, monitor.Wait{Name: "build", Owner: owner.Identity}) }()
		Consistently(done).ShouldNot(Receive())
		door.open()
		Eventually(done).Should(Receive(BeNil()))
		Expect(w.ends()).To(Succeed())
	})

	It("has it watched where it has no monitor, and is over then", func() {
		unmonitored()
		done := begin(monitor.Wait{Unwatched: func(context.Context) {
			defer GinkgoRecover()
			watched(runtime)
		}})
		Eventually(runtime.Record).Should(HaveField("Monitor", HaveValue(Equal(self()))))
		door.open()
		Eventually(done).Should(Receive(BeNil()))
	})

	It("has it watched again when its monitor has ended", func() {
		w := watched(runtime)
		calls := make(chan struct{}, 10)
		done := begin(monitor.Wait{Unwatched: func(context.Context) { calls <- struct{}{} }})
		Consistently(calls).ShouldNot(Receive(), "it has a monitor")
		unmonitored() // as its record looks when the monitor is dead: this process lives
		w.leaves()
		Eventually(calls).Should(Receive())
		Eventually(calls).Should(Receive(), "it has none still")
		next := watched(runtime)
		door.open()
		Eventually(done).Should(Receive(BeNil()))
		Expect(next.ends()).To(Succeed())
	})

	It("does not have it watched that starts", func() {
		calls := make(chan struct{}, 10)
		begin(monitor.Wait{Unwatched: func(context.Context) { calls <- struct{}{} }})
		Consistently(calls, 3*monitor.Unattended).ShouldNot(Receive())
	})

	It("has what is left in the trash deleted", func() {
		Expect(store.SetAside(runtime)).To(Succeed())
		done := begin(monitor.Wait{Unwatched: func(context.Context) { store.Sweep() }})
		Eventually(done).Should(Receive(BeNil()))
		nothingLeft(store)
	})

	It("fails where it is broken", func() {
		done := begin(monitor.Wait{})
		Expect(os.WriteFile(runtime.Path(monitor.RecordFile), []byte("?"), 0o600)).To(Succeed())
		Eventually(done).Should(Receive(MatchError(monitor.ErrBroken)))
	})

	It("fails where its journal is broken, so that no monitor can go on", func() {
		unmonitored()
		Expect(os.WriteFile(runtime.Path(monitor.JournalFile), []byte("?\n"), 0o600)).To(Succeed())
		Eventually(begin(monitor.Wait{})).Should(Receive(MatchError(ContainSubstring("journal"))))
	})

	It("fails where the store was moved, and does not take the runtime for gone", func() {
		done := begin(monitor.Wait{})
		Consistently(done).ShouldNot(Receive())
		aside := store.Dir() + ".aside"
		Expect(os.Rename(store.Dir(), aside)).To(Succeed())
		DeferCleanup(os.Rename, aside, store.Dir())
		Expect(os.WriteFile(filepath.Join(aside, "runtimes", "build", monitor.RecordFile+".new"), nil, 0o600)).To(Succeed())
		Expect(os.Remove(filepath.Join(aside, "runtimes", "build", monitor.RecordFile))).To(Succeed())
		Eventually(done).Should(Receive(MatchError(os.ErrNotExist)))
	})

	It("ends with its context", func() {
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- store.Await(ctx, monitor.Wait{Name: "build", Owner: owner.Identity}) }()
		Consistently(done).ShouldNot(Receive())
		stop()
		Eventually(done).Should(Receive(MatchError(context.Canceled)))
	})

	It("reports that the log may have got longer, and at the end", func() {
		w := watched(runtime)
		log, err := monitor.OpenLog(runtime.Path(monitor.LogFile))
		Expect(err).NotTo(HaveOccurred())
		defer log.Close()
		written := make(chan struct{}, 1000)
		done := begin(monitor.Wait{Written: func() error {
			written <- struct{}{}
			return nil
		}})
		Eventually(written).Should(Receive())
		// Looks end soon after the last report.
		Eventually(func() int {
			n := len(written)
			for range n {
				<-written
			}
			return n
		}, generous, 2*monitor.LockLook).Should(BeZero())
		_, err = runtime.LogWriter().Write([]byte("a line\n"))
		Expect(err).NotTo(HaveOccurred())
		Eventually(written).Should(Receive())
		door.open()
		Eventually(done).Should(Receive(BeNil()))
		Expect(w.ends()).To(Succeed())
	})

	It("ends with the error of what takes the log", func() {
		full := errors.New("disk full")
		Eventually(begin(monitor.Wait{Written: func() error { return full }})).Should(Receive(MatchError(full)))
	})
})

var _ = DescribeTable("A wait looks again", func(beat time.Duration, seen, heard, held bool, pause time.Duration, timed bool) {
	p, t := monitor.PauseOf(beat, seen, heard, held)
	Expect(t).To(Equal(timed))
	if timed {
		Expect(p).To(Equal(pause))
	}
},
	Entry("soon after a report", time.Millisecond, true, true, true, time.Millisecond, true),
	Entry("never of itself, when all is reported and nothing happens", 2*time.Second, true, true, true, time.Duration(0), false),
	Entry("four times a second where changes are not reported", time.Minute, false, true, true, 250*time.Millisecond, true),
	Entry("every second where the end of the monitor is not reported", time.Minute, true, false, true, time.Second, true),
	Entry("at growing distances where there is no monitor", 16*time.Second, true, true, false, 16*time.Second, true),
)

var _ = Describe("Finding a runtime", func() {
	It("finds it in its place, then in the trash, then in the history", func() {
		store := newStore()
		r := own(store, "build", dead())
		record, err := r.Record()
		Expect(err).NotTo(HaveOccurred())
		Expect(store.Find("build")).To(Equal(record))
		Expect(store.SetAside(r)).To(Succeed())
		Expect(store.Find("build")).To(Equal(record))
		store.Sweep()
		_, err = store.Find("build")
		Expect(err).To(MatchError(`runtime "build" does not exist`))
	})

	It("takes no other runtime in the trash for it", func() {
		store := newStore()
		Expect(store.SetAside(own(store, "build-2", dead()))).To(Succeed())
		_, err := store.Find("build")
		Expect(err).To(MatchError(monitor.ErrNotExist))
	})

	It("knows whether the calling process is in it", func() {
		store := newStore()
		own(store, "ours", self())
		parent, err := process.Lookup(os.Getppid())
		Expect(err).NotTo(HaveOccurred())
		own(store, "parents", parent.Identity)
		strange := own(store, "strange", parent.Identity)
		change(strange, func(r *monitor.Record) { r.Strangers = []process.Identity{self()} })
		own(store, "other", start("read -r x <&3", through(newGate())...).Identity)
		survey, err := store.Survey()
		Expect(err).NotTo(HaveOccurred())
		for name, is := range map[string]bool{"ours": true, "parents": true, "strange": false, "other": false} {
			Expect(survey.Encloses(name)).To(Equal(is), name)
		}
		_, err = survey.Encloses("none")
		Expect(err).To(MatchError(monitor.ErrNotExist))
	})
})
