//go:build darwin || linux

package resident_test

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"

	"github.com/gemini-monitor/gemini/internal/detach"
	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/monitor/resident"
	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("A resident and its guard", func() {
	var (
		store  *monitor.Store
		living *child
		r      *monitor.Runtime
	)

	BeforeEach(func() {
		store = newStore()
		Expect(store.Make()).To(Succeed())
		living = sleeper()
		r = running(store, "build", living.Identity)
	})

	// start has a client start a pair.
	start := func(more ...string) (by, guard process.Identity) {
		GinkgoHelper()
		ctx, done := context.WithTimeout(context.Background(), time.Minute)
		defer done()
		_, err := clientOf(store, idleTime, "v1", more...).Adopt(ctx)
		Expect(err).NotTo(HaveOccurred())
		return pair(store)
	}

	It("are two processes, of which each starts the other anew", func() {
		by, guard := start()
		Expect(r.Record()).To(watchedBy(by))

		Expect(by.Signal(syscall.SIGKILL)).To(Succeed())
		next, same := anew(store, by, process.Identity{})
		Expect(same).To(Equal(guard))
		Eventually(r.Record).Should(watchedBy(next))
		Expect(text(resident.LogPath(store))).To(ContainSubstring("died and is started anew"))

		Expect(guard.Signal(syscall.SIGKILL)).To(Succeed())
		same, other := anew(store, process.Identity{}, guard)
		Expect(same).To(Equal(next))
		Expect(r.Record()).To(watchedBy(next))

		Expect(next.Signal(syscall.SIGKILL)).To(Succeed())
		last, same := anew(store, next, process.Identity{})
		Expect(same).To(Equal(other), "a guard that a resident has started starts residents too")
		Eventually(r.Record).Should(watchedBy(last))

		Expect(living.ends()).To(Succeed())
		Eventually(store.Names).Should(BeEmpty())
	})

	It("are one until the resident has answered", func() {
		var begun atomic.Int32
		begin := make(chan struct{})
		watch := func() *resident.Pair {
			p := &resident.Pair{Command: func() *exec.Cmd {
				begun.Add(1)
				return exec.Command("true")
			}}
			p.Watch(slog.New(slog.DiscardHandler), begin)
			return p
		}
		watch().Close() // in good order, before it has answered
		Expect(begun.Load()).To(BeZero())
		close(begin)
		DeferCleanup(watch().Close)
		Eventually(begun.Load).ShouldNot(BeZero())
	})

	It("are two also where the client has died that the resident was started for", func() {
		lock, err := resident.TryLock(store)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(lock.Close)
		ctx, done := context.WithTimeout(context.Background(), time.Minute)
		defer done()
		Expect(detach.Start(ctx, as("launcher", store, idleTime.String(), "v1"), os.Stderr, lock)).To(Succeed())
		card, err := resident.ReadCard(store)
		Expect(err).NotTo(HaveOccurred())
		Eventually(func() (children []int, err error) {
			rows, err := process.Table()
			for _, row := range rows {
				if row.Parent == card.Process.PID {
					children = append(children, row.Identity.PID)
				}
			}
			return children, err
		}).Should(HaveLen(1))
	})

	DescribeTable("are started by the next client where both are killed", func(order func(by, guard process.Identity) []process.Identity) {
		by, guard := start()
		both := order(by, guard)
		for _, id := range both {
			stops(id) // neither sees the other's end
		}
		for _, id := range both {
			Expect(id.Signal(syscall.SIGKILL)).To(Succeed())
		}
		for _, id := range both {
			Eventually(lives).WithArguments(id).Should(BeFalse())
		}
		Expect(lives(living.Identity)).To(BeTrue())
		next, _ := start()
		Expect(next).NotTo(Equal(by))
		Expect(r.Record()).To(watchedBy(next))
		Expect(living.ends()).To(Succeed())
		Eventually(store.Names).Should(BeEmpty())
	},
		Entry("the resident first", func(by, guard process.Identity) []process.Identity { return []process.Identity{by, guard} }),
		Entry("the guard first", func(by, guard process.Identity) []process.Identity { return []process.Identity{guard, by} }),
	)

	It("end together on a signal, and leave everything as it is", func() {
		by, guard := start()
		Expect(by.Signal(syscall.SIGTERM)).To(Succeed())
		Eventually(lives).WithArguments(by).Should(BeFalse())
		Eventually(lives).WithArguments(guard).Should(BeFalse())
		Expect(resident.SocketPath(store)).NotTo(BeAnExistingFile())
		Expect(r.Record()).To(watchedBy(by))
		Expect(text(resident.LogPath(store))).NotTo(ContainSubstring("died"))
		lock, err := resident.TryLock(store)
		Expect(err).NotTo(HaveOccurred())
		Expect(lock).NotTo(BeNil(), "neither holds the lock")
		Expect(lock.Close()).To(Succeed())
	})

	It("end together where the store was removed", func() {
		by, guard := start()
		Eventually(os.RemoveAll).WithArguments(store.Dir()).Should(Succeed()) // the pair writes into it
		Expect(living.ends()).To(Succeed())                                   // the resident looks around
		Eventually(lives).WithArguments(by).Should(BeFalse())
		Eventually(lives).WithArguments(guard).Should(BeFalse())
	})

	It("do not wait for each other: a resident ends whose guard is stopped", func() {
		by, guard := start()
		stops(guard)
		DeferCleanup(func() { _ = guard.Signal(syscall.SIGKILL) })
		Expect(by.Signal(syscall.SIGTERM)).To(Succeed())
		Eventually(lives).WithArguments(by).Should(BeFalse())
		Expect(guard.Signal(syscall.SIGCONT)).To(Succeed())
		Eventually(lives).WithArguments(guard).Should(BeFalse())
	})

	It("leave a store to another resident that has taken it meanwhile", func() {
		by, guard := start()
		stops(guard)
		Expect(by.Signal(syscall.SIGKILL)).To(Succeed())
		Eventually(lives).WithArguments(by).Should(BeFalse())
		v := serve(store)
		Expect(guard.Signal(syscall.SIGCONT)).To(Succeed())
		Eventually(lives).WithArguments(guard).Should(BeFalse(), "the one that it has started found the store served")
		Expect(status(store)).To(HaveField("Process", self()))
		Expect(v.ends()).To(Succeed())
		Expect(resident.FailedPath(store)).NotTo(BeAnExistingFile())
	})

	It("are given up, aloud and once, where the resident dies too often", func() {
		by, guard := start("mortal")
		Expect(by.Signal(syscall.SIGKILL)).To(Succeed())
		Eventually(lives).WithArguments(guard).Should(BeFalse())
		Expect(text(resident.FailedPath(store))).To(MatchRegexp(`^the resident monitor died 6 times within 1m0s, the last time at .* \(exit status 1\); its log is .*\n$`))
		Expect(text(resident.LogPath(store))).To(ContainSubstring("gave up"))

		ctx, done := context.WithTimeout(context.Background(), time.Minute)
		defer done()
		told := gbytes.NewBuffer()
		c := clientOf(store, idleTime, "v1")
		c.Tell = func(line string) { _, _ = told.Write([]byte(line)) }
		_, err := c.Adopt(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(told).To(gbytes.Say("died 6 times"))
		next, _ := pair(store)
		Expect(r.Record()).To(watchedBy(next))
	})

	It("go on with the resident alone where the guard dies too often", func() {
		by, guard := start()
		for range resident.MaxDeaths {
			Expect(guard.Signal(syscall.SIGKILL)).To(Succeed())
			_, guard = anew(store, process.Identity{}, guard)
		}
		Expect(guard.Signal(syscall.SIGKILL)).To(Succeed())
		Eventually(func() (resident.Status, error) { return status(store) }).Should(And(HaveField("Guard", 0), HaveField("Process", by)))
		Eventually(text).WithArguments(resident.LogPath(store)).Should(ContainSubstring("goes on without a guard")) // a moment later
		Expect(r.Record()).To(watchedBy(by))
		Expect(by.Signal(syscall.SIGTERM)).To(Succeed())
		Eventually(lives).WithArguments(by).Should(BeFalse())
	})
})

// pair returns the resident of a store and its guard.
func pair(s *monitor.Store) (by, guard process.Identity) {
	GinkgoHelper()
	return anew(s, process.Identity{}, process.Identity{})
}

// anew returns the resident of a store and its guard once neither is the given one.
func anew(s *monitor.Store, notBy, notGuard process.Identity) (by, guard process.Identity) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		now, err := status(s)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(now.Process).NotTo(Equal(notBy))
		g.Expect(now.Guard).NotTo(Or(BeZero(), Equal(notGuard.PID)))
		by, guard = now.Process, identity(now.Guard)
	}).Should(Succeed())
	return by, guard
}
