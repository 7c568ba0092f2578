//go:build darwin || linux

package router

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/tracker"
	"github.com/gemini-monitor/gemini/tracker/process"
)

func TestMain(m *testing.M) { testproc.Main(m, parts) }

func TestRouter(t *testing.T) {
	EnforceDefaultTimeoutsWhenUsingContexts()
	SetDefaultEventuallyTimeout(time.Minute) // where the table is polled, a read of 0.6 s buys 20 s of quiet
	RegisterFailHandler(Fail)
	RunSpecs(t, "Router")
}

var _ = testproc.CheckLeaks()

// ways are the mechanisms of this system, with the labels that specs on them need.
var ways = mechanisms()

// withRouter has a container of specs for each mechanism, guarded and not. The specs get what
// opens a router on a tracker of its own.
func withRouter(text string, specs func(open func(...func(*Options[string])) *Router[string])) bool {
	for _, way := range ways {
		for _, unguarded := range []bool{false, true} {
			name := text + ", followed on " + string(way.mechanism)
			if unguarded {
				name += ", unguarded"
			}
			Describe(name, Label(way.needs...), func() {
				specs(func(but ...func(*Options[string])) *Router[string] {
					o := Options[string]{Unguarded: unguarded}
					for _, change := range but {
						change(&o)
					}
					return opened(openTracker(way.mechanism), o)
				})
			})
		}
	}
	return true
}

// openTracker opens a tracker that ends with the spec.
func openTracker(m tracker.Mechanism) *tracker.Tracker {
	GinkgoHelper()
	t := testproc.Opened(tracker.New(tracker.Options{Mechanism: m}))
	DeferCleanup(func() { Expect(t.Close()).To(Or(Succeed(), MatchError(tracker.ErrClosed))) })
	return t
}

// opened opens a router that ends with the spec.
func opened[V any](t *tracker.Tracker, o Options[V]) *Router[V] {
	GinkgoHelper()
	r := testproc.Opened(New(t, o))
	DeferCleanup(func() { Expect(r.Close()).To(Or(Succeed(), MatchError(ErrClosed))) })
	return r
}

// registered registers the root of a spec.
func registered[V any](ctx SpecContext, r *Router[V], pid int, v V) *Route[V] {
	GinkgoHelper()
	root := testproc.Look(ctx, pid).Identity
	return testproc.Sure(ctx, func() (*Route[V], error) { return r.Register(ctx, root, v) })
}

// belongs expects that the first look-up of a process returns a value, and the next one.
func belongs[V any](r *Router[V], pid int, value V) {
	GinkgoHelper()
	for range 2 {
		v, ok := r.Of(pid)
		Expect(ok).To(BeTrue(), "process %d is of no route", pid)
		Expect(v).To(Equal(value), "process %d", pid)
	}
}

// strange expects that a process belongs to no route.
func strange[V any](r *Router[V], pid int) {
	GinkgoHelper()
	for range 2 {
		v, ok := r.Of(pid)
		Expect(ok).To(BeFalse(), "process %d is of the route %v", pid, v)
		Expect(v).To(BeZero())
	}
}

// empties expects that a route is found empty once all of its processes have ended.
func empties[V any](ctx context.Context, route *Route[V]) {
	GinkgoHelper()
	Expect(route.Wait(ctx)).To(Succeed())
	Expect(route.Emptied()).To(BeClosed())
}

// identity returns that of a living process.
func identity(ctx SpecContext, pid int) process.Identity {
	GinkgoHelper()
	return testproc.Look(ctx, pid).Identity
}
