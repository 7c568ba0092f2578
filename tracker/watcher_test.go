package tracker

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/internal/rehearsal"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// A lateKernel takes its time for the first wake: until it is closed, if that
// comes soon. Too short a time loses coverage and fails no spec.
type lateKernel struct {
	*rehearsal.Script
	woken    chan struct{}
	closed   chan struct{}
	wakes    atomic.Int32
	begun    chan struct{} // closed when the first wake has begun
	violated atomic.Bool
}

func newLateKernel() *lateKernel {
	return &lateKernel{
		Script: rehearsal.New(process.ForksAnnounced).Script,
		woken:  make(chan struct{}, 10), closed: make(chan struct{}), begun: make(chan struct{}),
	}
}

func (k *lateKernel) Next(notices []core.Notice, timeout time.Duration) ([]core.Notice, error) {
	if timeout < 0 {
		<-k.woken
	}
	return notices, nil
}

func (k *lateKernel) Wake() {
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

func (k *lateKernel) Close() error {
	close(k.closed)
	return nil
}

// A wake after the close would write into a descriptor that may be another's.
var _ = Describe("No call is woken after the close", func() {
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
