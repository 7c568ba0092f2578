//go:build darwin || linux

package monitor_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("A durable runtime", func() {
	var store *monitor.Store

	BeforeEach(func() { store = newStore() })

	Describe("is removed by RemoveIdle", func() {
		It("with its directory", func() {
			Expect(idleIn(store).RemoveIdle(context.Background())).To(Succeed())
			nothingLeft(store)
			Expect(store.History()).To(HaveLen(1), "of its run")
		})

		It("not while it is run", func() {
			r := durable(store, newGate())
			Expect(r.RemoveIdle(context.Background())).To(MatchError(monitor.ErrNotIdle))
			w := watched(r)
			restore := monitor.SetClearing(time.Millisecond)
			defer restore()
			Expect(r.RemoveIdle(context.Background())).To(MatchError(monitor.ErrNotIdle))
			w.leaves()
			Expect(r.Record()).To(HaveField("State", monitor.StateRunning))
		})

		It("when its run ended unseen, and it was not idle yet", func() {
			r := idleIn(store)
			change(r, func(record *monitor.Record) {
				last := dead()
				record.State, record.Monitor = monitor.StateRunning, &last
			})
			Expect(r.RemoveIdle(context.Background())).To(Succeed())
			nothingLeft(store)
		})

		It("not while a process of it lives that no monitor watches", func() {
			r := durable(store, newGate())
			watched(r).leaves()
			change(r, func(record *monitor.Record) { record.Owner = dead() })
			Expect(r.RemoveIdle(context.Background())).To(MatchError(monitor.ErrNotIdle))
			Expect(r.Root()).To(BeADirectory())
		})

		It("once by many", func() {
			r := idleIn(store)
			var removers sync.WaitGroup
			var removed atomic.Int32
			for range 8 {
				removers.Go(func() {
					defer GinkgoRecover()
					if err := r.RemoveIdle(context.Background()); err == nil {
						removed.Add(1)
					} else {
						Expect(err).To(MatchError(monitor.ErrNotExist))
					}
				})
			}
			removers.Wait()
			Expect(removed.Load()).To(BeEquivalentTo(1))
			nothingLeft(store)
		})
	})

	Describe("whose run does not begin", func() {
		DescribeTable("is as it was", func(before bool) {
			var record monitor.Record
			if before {
				var err error
				record, err = idleIn(store).Record()
				Expect(err).NotTo(HaveOccurred())
			}
			err := store.Run(monitor.Creation{Name: "work", Durable: true}, monitor.Program{
				Path: "/bin/true", Args: []string{"true"}, Patience: generous, Keeper: refuser{},
			})
			Expect(err).To(MatchError(monitor.ErrNoMonitor))
			if !before {
				nothingLeft(store)
				return
			}
			r, err := store.Runtime("work")
			Expect(err).NotTo(HaveOccurred())
			expectIdle(store, r)
			Expect(r.Record()).To(Equal(record))
		},
			Entry("idle, where it was", true),
			Entry("not there, where it is new", false),
		)
	})
})

var _ = Describe("The record of an idle runtime", func() {
	It("has nothing of its last run but the owner, the command and where that was started", func() {
		r := monitor.Record{
			Version: 2, Name: "work", State: monitor.StateStopping, Reason: "empty", Owner: process.Identity{PID: 7}, Monitor: &process.Identity{PID: 8},
			Strangers: []process.Identity{{PID: 9}}, Marks: []string{"M"}, Command: []string{"sh"}, StartedIn: "/", OnEmpty: []string{"true"}, OnEmptyRuns: 2,
			Limits: monitor.Limits{Leftovers: true}, Ending: &monitor.Ending{}, Durable: true, Made: time.Unix(1, 0),
		}
		since := time.Unix(5, 0)
		Expect(r.Idle(since)).To(Equal(monitor.Record{
			Version: 2, Name: "work", State: monitor.StateIdle, Owner: process.Identity{PID: 7}, Command: []string{"sh"}, StartedIn: "/",
			Durable: true, Made: time.Unix(1, 0), IdleSince: since.UTC(),
		}))
	})
})

// A refuser is a keeper that watches nothing.
type refuser struct{}

func (refuser) Watch(context.Context, *monitor.Runtime) error {
	return fmt.Errorf("there is no monitor today")
}
func (refuser) Leave(context.Context, *monitor.Runtime) {}
