//go:build darwin || linux

package resident_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/monitor/resident"
	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("A client in this process", func() {
	var (
		store *monitor.Store
		own   *keeper
		c     *resident.Client
		r     *monitor.Runtime
	)

	BeforeEach(func() {
		store = newStore()
		own = &keeper{}
		c = clientOf(store, idleTime, "v1.2.3")
		c.Own = own
		r = create(store, "build", self())
	})

	ctx := func() context.Context {
		ctx, done := context.WithTimeout(context.Background(), time.Minute)
		DeferCleanup(done)
		return ctx
	}

	It("has its runtime watched, and left as it is", func() {
		by := foreground(store, idleTime, "v1.2.3")
		for range 3 {
			Expect(c.Watch(ctx(), r)).To(Succeed())
		}
		Expect(r.Record()).To(watchedBy(by.Identity))
		Expect(status(store)).To(HaveField("Runtimes", 1))
		c.Leave(ctx(), r)
		Expect(status(store)).To(HaveField("Runtimes", 0))
		Expect(r.Record()).To(HaveField("State", monitor.StateRunning))
		Expect(own.watched.Load() + own.left.Load()).To(BeZero())
	})

	Describe("whose own monitor comes too late", func() {
		BeforeEach(func() { c.Command = []string{"false"} })

		It("is satisfied with a resident that has taken its runtime over meanwhile", func() {
			var by *child
			own.meanwhile = func() error {
				by = foreground(store, idleTime, "v1.2.3")
				Expect(clientOf(store, idleTime, "v1.2.3").Watch(ctx(), r)).To(Succeed())
				return monitor.ErrWatched
			}
			Expect(c.Watch(ctx(), r)).To(Succeed())
			Expect(r.Record()).To(watchedBy(by.Identity))
		})

		It("fails where no process watches the runtime, or one that is no resident", func() {
			own.meanwhile = func() error { return monitor.ErrWatched }
			Expect(c.Watch(ctx(), r)).To(MatchError(monitor.ErrWatched))
			var lock *os.File
			own.meanwhile = func() (err error) {
				lock, err = os.OpenFile(filepath.Join(r.Dir(), "monitor.lock"), os.O_RDWR, 0)
				Expect(err).NotTo(HaveOccurred())
				Expect(unix.Flock(int(lock.Fd()), unix.LOCK_EX)).To(Succeed())
				return monitor.ErrWatched
			}
			Expect(c.Watch(ctx(), r)).To(MatchError(monitor.ErrWatched))
			Expect(lock.Close()).To(Succeed())
		})
	})

	It("does not end the resident where nothing tells which process that is", func() {
		by := foreground(store, idleTime, "v1.2.3")
		Expect(c.Watch(ctx(), r)).To(Succeed())
		Expect(os.WriteFile(resident.LockPath(store), []byte("{"), 0o600)).To(Succeed())
		c.Leave(ctx(), r)
		Expect(status(store)).To(And(HaveField("Process", by.Identity), HaveField("Runtimes", 0)))
		Expect(own.left.Load()).To(BeZero(), "it would have been killed")
	})

	It("ends the runtime's own monitor where that watches", func() {
		foreground(store, idleTime, "v1.2.3")
		keeper := sleeper()
		record, err := r.Record()
		Expect(err).NotTo(HaveOccurred())
		record.Monitor = &keeper.Identity
		line, err := json.Marshal(record)
		Expect(err).NotTo(HaveOccurred())
		Expect(os.WriteFile(filepath.Join(r.Dir(), "runtime.json"), line, 0o600)).To(Succeed())
		c.Leave(ctx(), r)
		Expect(own.left.Load()).To(BeEquivalentTo(1))
	})

	DescribeTable("has a monitor of its own watch where the resident does not start", func(command []string, reason string) {
		c.Command = command
		Expect(c.Watch(ctx(), r)).To(Succeed())
		Expect(own.watched.Load()).To(BeEquivalentTo(1))
		Expect(text(filepath.Join(r.Dir(), "monitor.log"))).To(And(ContainSubstring("did not start"), ContainSubstring(reason)))
	},
		Entry("because its program is not there", []string{"/nowhere/monitor"}, "no such file"),
		Entry("because it ends", []string{"/bin/sh", "-c", "exit 3"}, "exit status 3"),
	)

	It("does not repeat for ever a request that ends the resident each time", func() {
		lock, err := resident.TryLock(store)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(lock.Close)
		asked := mute(store)
		Expect(c.Watch(ctx(), r)).To(Succeed())
		Expect(own.watched.Load()).To(BeEquivalentTo(1))
		Expect(asked.Load()).To(BeEquivalentTo(resident.FewTimes + 1))
	})

	It("does not believe what answers and watches nothing", func() {
		impostor(store, func(context.Context) error { return nil })
		Expect(c.Watch(ctx(), r)).To(Succeed())
		Expect(own.watched.Load()).To(BeEquivalentTo(1))
		Expect(text(filepath.Join(r.Dir(), "monitor.log"))).To(ContainSubstring("does not watch the runtime"))
	})

	DescribeTable("waits for one that runs, and has not answered for longer than a stopped one may take", func(only ...string) {
		c.Patience = time.Minute
		answer := make(chan struct{})
		impostor(store, func(context.Context) error {
			<-answer
			return nil
		}, only...)
		late := sync.OnceFunc(func() { close(answer) })
		DeferCleanup(late)
		watched := make(chan error, 1)
		go func() { watched <- c.Watch(ctx(), r) }()
		Consistently(own.watched.Load).WithTimeout(resident.Quick + resident.Quick/2).Should(BeZero())
		late()
		Eventually(watched).Should(Receive(Succeed()))
		Expect(text(filepath.Join(r.Dir(), "monitor.log"))).To(ContainSubstring("does not watch the runtime"), "it had an answer")
	},
		Entry("and answers no other request meanwhile"),
		Entry("and answers other requests meanwhile", "Watch"),
	)

	It("does not wait for one that is stopped", func() {
		c.Patience = time.Hour
		stops(foreground(store, idleTime, "v1.2.3").Identity)
		Expect(c.Watch(ctx(), r)).To(Succeed())
		Expect(own.watched.Load()).To(BeEquivalentTo(1))
	})

	It("does not wait for ever for one that runs", func() {
		c.Patience = 1
		impostor(store, func(ctx context.Context) error {
			<-ctx.Done() // the server stops at the end of the spec
			return ctx.Err()
		})
		Expect(c.Watch(ctx(), r)).To(Succeed())
		Expect(text(filepath.Join(r.Dir(), "monitor.log"))).To(ContainSubstring("no answer came in time"))
	})

	It("connects, and starts a resident, while its caller does something else", func() {
		DeferCleanup(c.Hasten(context.Background()))
		var by process.Identity
		Eventually(func() error {
			card, err := resident.ReadCard(store)
			by = card.Process
			return err
		}).Should(Succeed())
		Expect(c.Watch(ctx(), r)).To(Succeed())
		Expect(r.Record()).To(watchedBy(by))
		c.Leave(ctx(), r)
	})

	It("leaves no child to its process when it is not hastened any longer", func() {
		children := func() (found []process.Identity) {
			rows, err := process.Table()
			Expect(err).NotTo(HaveOccurred())
			for _, row := range rows {
				if row.Parent == os.Getpid() {
					found = append(found, row.Identity)
				}
			}
			return found
		}
		before := children()
		for range 20 {
			c.Hasten(context.Background())()
			Expect(before).To(ContainElements(children()))
		}
	})

	It("gives up when its time is over, and tells so", func() {
		lock, err := resident.TryLock(store)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(lock.Close)
		limited, done := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer done()
		Expect(c.Watch(limited, r)).To(MatchError(And(ContainSubstring("does not begin to serve"), ContainSubstring("deadline"))))
		Expect(own.watched.Load()).To(BeZero(), "its caller has no time left")
	})

	It("tells once that a guard has given up", func() {
		Expect(os.WriteFile(resident.FailedPath(store), []byte("no luck today\n"), 0o600)).To(Succeed())
		told := gbytes.NewBuffer()
		c.Tell = func(line string) { fmt.Fprintln(told, line) }
		_, err := c.Adopt(ctx())
		Expect(err).NotTo(HaveOccurred())
		endResident(store)
		_, err = c.Adopt(ctx())
		Expect(err).NotTo(HaveOccurred())
		Expect(string(told.Contents())).To(Equal("no luck today\n"))
		Expect(resident.FailedPath(store)).NotTo(BeAnExistingFile())
	})

	It("takes over from an older resident, and an older client uses the newer one", func() {
		older := foreground(store, resident.Forever, "v1.2.2")
		living := sleeper()
		other := running(store, "other", living.Identity)
		Expect(adopt(store)).To(ContainElement(resident.Finding{Name: "other", Outcome: resident.Taken}))
		Expect(c.Watch(ctx(), r)).To(Succeed())
		Expect(own.watched.Load()).To(BeZero())
		Expect(older.cmd.Wait()).To(Succeed())
		now, err := status(store)
		Expect(err).NotTo(HaveOccurred())
		Expect(now.Version).To(Equal("v1.2.3"))
		Eventually(other.Record).Should(watchedBy(now.Process))
		Expect(r.Record()).To(watchedBy(now.Process))

		c.Version = "v1.2.2"
		Expect(c.Watch(ctx(), r)).To(Succeed())
		Expect(status(store)).To(HaveField("Process", now.Process))
	})

	It("has the resident take over what has no monitor", func() {
		living := sleeper()
		other := running(store, "other", living.Identity)
		dead := sleeper()
		running(store, "over", dead.Identity)
		dead.kill()
		Expect(c.Adopt(ctx())).To(Equal([]resident.Finding{
			{Name: "build", Outcome: resident.Begins},
			{Name: "other", Outcome: resident.Taken},
			{Name: "over", Outcome: resident.Taken},
		}))
		card, err := resident.ReadCard(store)
		Expect(err).NotTo(HaveOccurred())
		Expect(other.Record()).To(watchedBy(card.Process))
	})
})
