package tracker

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("A set of events", func() {
	DescribeTable("is words joined by plus signs", func(events process.Events, text string) {
		Expect(events.String()).To(Equal(text))
	},
		Entry("none", process.Events(0), ""),
		Entry("one", process.Exited, "exit"),
		Entry("all", process.Exited|process.Forked|process.Execed, "fork+exec+exit"),
	)

	It("has what is in it", func() {
		set := process.Forked | process.Exited
		Expect(set.Has(process.Forked)).To(BeTrue())
		Expect(set.Has(process.Forked | process.Exited)).To(BeTrue())
		Expect(set.Has(process.Execed)).To(BeFalse())
		Expect(set.Has(process.Execed | process.Forked)).To(BeFalse())
		Expect(set.Has(0)).To(BeTrue())
	})
})

var _ = DescribeTable("What is said of forks is one word", func(f process.Forks, word string) {
	Expect(f.String()).To(Equal(word))
}, Entry(nil, process.ForksUnseen, "unseen"), Entry(nil, process.ForksAnnounced, "announced"), Entry(nil, process.ForksNamed, "named"))

// A lateKernel takes its time for the first wake: until it is closed, if that
// comes soon. Too short a time loses coverage and fails no spec.
type lateKernel struct {
	*script
	woken    chan struct{}
	closed   chan struct{}
	wakes    atomic.Int32
	begun    chan struct{} // closed when the first wake has begun
	violated atomic.Bool
}

func newLateKernel() *lateKernel {
	return &lateKernel{
		script: rehearse(process.ForksAnnounced).script,
		woken:  make(chan struct{}, 10), closed: make(chan struct{}), begun: make(chan struct{}),
	}
}

func (k *lateKernel) next(notices []seamNotice, timeout time.Duration) ([]seamNotice, error) {
	if timeout < 0 {
		<-k.woken
	}
	return notices, nil
}

func (k *lateKernel) wake() {
	if k.wakes.Add(1) == 1 {
		close(k.begun)
		select {
		case <-k.closed:
			k.violated.Store(true)
		case <-time.After(50 * time.Millisecond):
		}
	}
	k.woken <- struct{}{}
}

func (k *lateKernel) close() error {
	close(k.closed)
	return nil
}

// A wake after the close would write into a descriptor that may be another's.
var _ = Describe("Nobody is woken after the close", func() {
	It("of a watcher", func() {
		k := newLateKernel()
		w := &Watcher{source: k}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = w.Next(ctx)
		}()
		cancel()
		<-k.begun
		Expect(w.Close()).To(Succeed())
		<-done
		Expect(k.closed).To(BeClosed())
		Expect(k.violated.Load()).To(BeFalse())
	})

	It("of a tracker", func(ctx SpecContext) {
		k := newLateKernel()
		t := newTracker(k, slog.New(slog.DiscardHandler))
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = t.Track(ctx, 10)
		}()
		<-k.begun
		Expect(t.Close()).To(Succeed())
		<-done
		Expect(k.violated.Load()).To(BeFalse())
	}, SpecTimeout(time.Minute))
})
