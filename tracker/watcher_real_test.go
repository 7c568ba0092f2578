//go:build darwin || linux

package tracker

import (
	"context"
	"os"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("A watcher", func() {
	open := func() *Watcher {
		GinkgoHelper()
		w, err := NewWatcher()
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func() { Expect(w.Close()).To(Or(Succeed(), MatchError(ErrClosed))) })
		return w
	}
	add := func(ctx SpecContext, w *Watcher, pid int) {
		GinkgoHelper()
		testproc.Sure(ctx, func() (struct{}, error) { return struct{}{}, w.Add(pid) })
	}
	// exits takes notices until so many processes have ended, and counts them.
	exits := func(ctx SpecContext, w *Watcher, count int) map[int]int {
		GinkgoHelper()
		seen := make(map[int]int)
		for len(seen) < count {
			notices, err := w.Next(ctx)
			Expect(err).NotTo(HaveOccurred())
			Expect(notices).NotTo(BeEmpty())
			for _, n := range notices {
				if n.Events.Has(process.Exited) {
					seen[n.PID]++
				}
			}
		}
		return seen
	}

	It("reports an exit, once, and then forgets the PID", func(ctx SpecContext) {
		w := open()
		r := testproc.Perl(1, `report("root $$"); wait_at(0)`)
		r.Persons(1)
		add(ctx, w, r.Pid)
		r.Open(0)
		Expect(exits(ctx, w, 1)).To(Equal(map[int]int{r.Pid: 1}))
		limited, cancel := context.WithCancel(ctx)
		cancel()
		_, err := w.Next(limited)
		Expect(err).To(MatchError(context.Canceled))
	}, testproc.Patience)

	It("reports forks and execs, where the kernel does", Label("forks"), func(ctx SpecContext) {
		w := open()
		if w.Forks() == process.ForksUnseen {
			Skip("forks are unseen here")
		}
		r := testproc.Perl(2, `report("root $$"); wait_at(0); child { report("child $$") }; wait; wait_at(1); exec $^X, "-e", ""`)
		r.Persons(1)
		add(ctx, w, r.Pid)
		r.Open(0)
		_, child := r.Person()
		notices, err := w.Next(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(notices).To(HaveExactElements(And(HaveField("PID", r.Pid), HaveField("Events", process.Forked))))
		if w.Forks() == process.ForksNamed {
			Expect(notices[0].Child).To(Equal(child))
		}
		r.Open(1)
		var all process.Events
		for !all.Has(process.Exited) {
			notices, err := w.Next(ctx)
			Expect(err).NotTo(HaveOccurred())
			for _, n := range notices {
				Expect(n.PID).To(Equal(r.Pid))
				all |= n.Events
			}
		}
		Expect(all).To(Equal(process.Execed | process.Exited))
	}, testproc.Patience)

	It("reports more exits at once than it has room for", func(ctx SpecContext) {
		w := open()
		r, crowd := testproc.Children(200)
		for _, pid := range crowd {
			add(ctx, w, pid)
		}
		r.Open(0)
		seen := exits(ctx, w, len(crowd))
		for _, pid := range crowd {
			Expect(seen[pid]).To(Equal(1))
		}
	}, Serial, testproc.Patience)

	It("refuses a dead process and a PID that is no process's", func(ctx SpecContext) {
		w := open()
		r := testproc.Perl(0, ``)
		r.Reap()
		for _, pid := range []int{r.Pid, -1, 1 << 30} {
			Eventually(ctx, func() error { return w.Add(pid) }).Should(MatchError(process.ErrGone), "PID %d", pid)
		}
	}, testproc.Patience)

	It("reports nothing of a PID that was removed, or never added", func(ctx SpecContext) {
		w := open()
		gone := testproc.Perl(1, `report("root $$"); wait_at(0)`)
		gone.Persons(1)
		last := testproc.Perl(1, `report("root $$"); wait_at(0)`)
		last.Persons(1)
		add(ctx, w, gone.Pid)
		add(ctx, w, last.Pid)
		Expect(w.Remove(gone.Pid)).To(Succeed())
		Expect(w.Remove(gone.Pid)).To(Succeed())
		Expect(w.Remove(os.Getppid())).To(Succeed())
		gone.Open(0)
		gone.Reap()
		last.Open(0)
		Expect(exits(ctx, w, 1)).To(Equal(map[int]int{last.Pid: 1}))
	}, testproc.Patience)

	It("waits until its context ends", func(ctx SpecContext) {
		w := open()
		add(ctx, w, os.Getppid())
		limited, cancel := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() {
			_, err := w.Next(limited)
			done <- err
		}()
		Expect(done).NotTo(Receive())
		cancel()
		Eventually(ctx, done).Should(Receive(MatchError(context.Canceled)))
	}, testproc.Patience)

	It("waits until it is closed, and is of no use after that", func(ctx SpecContext) {
		w := open()
		done := make(chan error, 1)
		go func() {
			_, err := w.Next(ctx)
			done <- err
		}()
		Expect(w.Close()).To(Succeed())
		Eventually(ctx, done).Should(Receive(MatchError(ErrClosed)))
		Expect(w.Close()).To(MatchError(ErrClosed))
		Expect(w.Add(os.Getppid())).To(MatchError(ErrClosed))
		Expect(w.Remove(os.Getppid())).To(MatchError(ErrClosed))
		_, err := w.Next(ctx)
		Expect(err).To(MatchError(ErrClosed))
	}, testproc.Patience)

	It("writes nothing into the descriptors of others, however it was closed", func(ctx SpecContext) {
		for range 300 {
			w := open()
			limited, cancel := context.WithCancel(ctx)
			done := make(chan struct{})
			go func() {
				defer close(done)
				_, _ = w.Next(limited)
			}()
			go cancel()
			Expect(w.Close()).To(Succeed())
			// These get the numbers that the watcher had.
			read, write, err := os.Pipe()
			Expect(err).NotTo(HaveOccurred())
			<-done
			Expect(write.Close()).To(Succeed())
			var one [1]byte
			n, _ := read.Read(one[:])
			Expect(read.Close()).To(Succeed())
			Expect(n).To(BeZero(), "the watcher wrote into this spec's pipe")
		}
	}, testproc.Patience)
})
