//go:build darwin || linux

package monitor_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// long is a grace that no spec waits for.
const long = time.Hour

// A stopCall is a call of Stop in a goroutine.
type stopCall struct {
	done chan struct{}
	rest monitor.Remainder
	err  error
}

// stops calls Stop on the monitor.
func (w *watching) stops(sig syscall.Signal, grace time.Duration) *stopCall {
	c := &stopCall{done: make(chan struct{})}
	go func() {
		defer close(c.done)
		c.rest, c.err = w.attached.Stop(context.Background(), sig, grace)
	}()
	return c
}

// returns waits until the call has returned.
func (c *stopCall) returns() (monitor.Remainder, error) {
	GinkgoHelper()
	Eventually(c.done).Should(BeClosed())
	return c.rest, c.err
}

// A slate is a file that the processes of a spec write words into.
type slate struct{ *os.File }

func newSlate() slate {
	GinkgoHelper()
	file, err := os.OpenFile(filepath.Join(GinkgoT().TempDir(), "slate"), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(file.Close)
	return slate{file}
}

func (s slate) words() ([]string, error) {
	text, err := os.ReadFile(s.Name())
	return strings.Fields(string(text)), err
}

// Scripts of members. Descriptors 3 and 4 are those of a gate, and 5 is a slate. A shell takes
// a signal at once while it waits for a child. That child says that it is up: a signal that
// it gets before it has the default action instead of the trap of its parent is lost (dash).
const (
	waits   = `(read -r x <&3) & wait; `
	obeys   = `trap 'echo asked >&5; exit' TERM; (echo up >&5; read -r x <&3) & wait; `
	ignores = `trap '' TERM; echo up >&5; ` + waits
)

var _ = Describe("A monitor that is told to stop its runtime", func() {
	var store *monitor.Store
	var says slate
	var g *gate

	BeforeEach(func() {
		store = newStore()
		says = newSlate()
		g = newGate()
	})

	// runs starts a runtime and its monitor, and waits until the slate has some words.
	runs := func(script string, words int, changes ...func(*monitor.Record)) (*child, *monitor.Runtime, *watching) {
		GinkgoHelper()
		owner := start(script, append(through(g), says.File)...)
		if len(changes) > 0 { // the monitor may end the processes when it begins
			Eventually(says.words).Should(HaveLen(words))
		}
		runtime := own(store, "build", owner.Identity)
		for _, edit := range changes {
			change(runtime, edit)
		}
		w := watched(runtime)
		Eventually(says.words).Should(HaveLen(words))
		return owner, runtime, w
	}

	It("asks each member, and returns when the runtime is gone", func() {
		_, _, w := runs(`(`+obeys+`) & `+obeys, 2)
		Eventually(members(store, "build")).Should(HaveLen(4), "what the monitor has found")
		Expect(w.stops(syscall.SIGTERM, long).returns()).To(Equal(monitor.Remainder{}))
		Expect(w.ends()).To(Succeed())
		Expect(says.words()).To(ConsistOf("up", "up", "asked", "asked"))
		nothingLeft(store)
	})

	It("kills what does not end when its grace is over", func() {
		_, _, w := runs(`(`+ignores+`) & `+ignores, 2)
		Expect(w.stops(syscall.SIGTERM, 0).returns()).To(Equal(monitor.Remainder{}))
		Expect(w.ends()).To(Succeed())
		nothingLeft(store)
	})

	It("is stopping meanwhile, with the reason, and the record has the request", func() {
		_, runtime, w := runs(ignores, 1)
		call := w.stops(syscall.SIGTERM, long)
		Eventually(runtime.Record).Should(And(
			HaveField("State", monitor.StateStopping),
			HaveField("Reason", ContainSubstring("SIGTERM was sent")),
			HaveField("Ending", HaveValue(And(HaveField("By", monitor.CauseStop), HaveField("Signal", syscall.SIGTERM)))),
		))
		Expect(call.done).NotTo(BeClosed())
		g.open()
		Expect(call.returns()).To(Equal(monitor.Remainder{}))
	})

	It("asks once, however often it is told, and the shortest grace counts", func() {
		_, _, w := runs(`trap 'echo asked >&5' TERM; echo up >&5; while :; do `+waits+`done`, 1)
		first := w.stops(syscall.SIGTERM, long)
		Eventually(says.words).Should(HaveLen(2))
		Expect(w.stops(syscall.SIGTERM, long).done).NotTo(BeClosed())
		Expect(w.stops(syscall.SIGTERM, 0).returns()).To(Equal(monitor.Remainder{}))
		Expect(first.returns()).To(Equal(monitor.Remainder{}))
		Expect(says.words()).To(HaveLen(2))
	})

	It("does not ask a process that is born during the grace", func() {
		_, _, w := runs(`trap '(trap "echo asked >&5" TERM; echo born >&5; `+waits+`) & wait' TERM; echo up >&5; `+waits, 1)
		call := w.stops(syscall.SIGTERM, long)
		Eventually(says.words).Should(Equal([]string{"up", "born"}))
		w.stops(syscall.SIGTERM, 0)
		Expect(call.returns()).To(Equal(monitor.Remainder{}))
		Expect(says.words()).To(Equal([]string{"up", "born"}))
	})

	It("continues a member that is stopped, which could not act upon the signal", func() {
		owner, _, w := runs(obeys, 1)
		Eventually(members(store, "build")).Should(HaveLen(2), "what the monitor has found")
		Expect(owner.Signal(syscall.SIGSTOP)).To(Succeed())
		Eventually(process.Lookup).WithArguments(owner.PID).Should(HaveField("State", process.Stopped))
		Expect(w.stops(syscall.SIGTERM, long).returns()).To(Equal(monitor.Remainder{}))
		Expect(says.words()).To(Equal([]string{"up", "asked"}))
	})

	It("ends a process that goes on forking", func() {
		_, _, w := runs(`trap '' TERM; echo up >&5; i=0; while [ $((i += 1)) -le 3000 ]; do (read -r x <&3) & done; wait`, 1)
		Eventually(func() (int, error) { m, err := members(store, "build")(); return len(m), err }).Should(BeNumerically(">", 20))
		Expect(w.stops(syscall.SIGTERM, 0).returns()).To(Equal(monitor.Remainder{}))
		Expect(w.ends()).To(Succeed())
		nothingLeft(store)
	})

	It("reports a runtime that has no known member and stays", func() {
		runtime := own(store, "build", dead())
		lease, err := runtime.HoldLease()
		Expect(err).NotTo(HaveOccurred())
		w := watched(runtime)
		Expect(w.stops(syscall.SIGTERM, 0).returns()).To(Equal(monitor.Remainder{Empty: true}))
		Expect(w.done).NotTo(BeClosed())
		Expect(lease.Close()).To(Succeed())
		Expect(w.ends()).To(Succeed())
	})

	It("says so when it stops watching before that", func() {
		_, _, w := runs(ignores, 1)
		call := w.stops(syscall.SIGTERM, long)
		w.leaves()
		_, err := call.returns()
		Expect(err).To(MatchError(monitor.ErrUnwatched))
		_, err = w.stops(syscall.SIGTERM, long).returns()
		Expect(err).To(MatchError(monitor.ErrUnwatched))
	})

	It("goes on with what an earlier monitor began, and does not ask again", func() {
		_, _, w := runs(obeys, 1, func(r *monitor.Record) {
			r.State = monitor.StateStopping
			r.Ending = &monitor.Ending{By: monitor.CauseStop, Signal: syscall.SIGTERM, Asked: time.Now().Add(-time.Minute), Grace: monitor.Seconds(time.Second)}
		})
		Expect(w.ends()).To(Succeed())
		Expect(says.words()).To(Equal([]string{"up"}))
		nothingLeft(store)
	})

	It("is told so by the time limit of the runtime", func() {
		_, _, w := runs(ignores, 1, func(r *monitor.Record) { r.Limits.Timeout = monitor.Seconds(time.Millisecond) })
		Expect(w.ends()).To(Succeed())
		Expect(w.log()).To(ContainSubstring("by=timeout"))
		nothingLeft(store)
	})

	It("ends what the owner leaves, if that is asked for", func() {
		owner, _, w := runs(`(`+obeys+`) & `+waits, 1, func(r *monitor.Record) {
			r.Limits.Leftovers, r.Limits.Grace = true, monitor.Seconds(long)
		})
		owner.kill()
		Expect(w.ends()).To(Succeed())
		Expect(says.words()).To(Equal([]string{"up", "asked"}))
		Expect(w.log()).To(ContainSubstring("by=leftovers"))
	})

	It("tells nothing to end where the owner leaves nothing", func() {
		_, _, w := runs(`echo up >&5; read -r x <&3`, 1, func(r *monitor.Record) { r.Limits.Leftovers = true })
		g.open()
		Expect(w.ends()).To(Succeed())
		Expect(w.log()).NotTo(ContainSubstring("told to end"))
	})
})
