//go:build darwin || linux

package resident_test

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/monitor/resident"
)

var _ = Describe("A resident", func() {
	var store *monitor.Store

	BeforeEach(func() { store = newStore() })

	Describe("that takes over", func() {
		It("watches again what has a living process, and removes what has none", func() {
			living := sleeper()
			r := running(store, "living", living.Identity)
			dead := sleeper()
			running(store, "dead", dead.Identity)
			dead.kill()
			serve(store)
			Eventually(r.Record).Should(watchedBy(self()))
			Eventually(store.Names).Should(Equal([]string{"living"}))
			Expect(living.ends()).To(Succeed())
			Eventually(store.Names).Should(BeEmpty())
		})

		It("tells what became of each", func() {
			v := serve(store)
			living, begun, own := sleeper(), sleeper(), sleeper()
			running(store, "again", living.Identity)
			create(store, "begins", begun.Identity)
			broken := running(store, "broken", living.Identity)
			Expect(os.WriteFile(filepath.Join(broken.Dir(), "runtime.json"), []byte("{"), 0o600)).To(Succeed())
			create(store, "owned", own.Identity)
			keeper := begins(as("alone", store, "owned"), GinkgoWriter)
			Expect(keeper.out.ReadString('\n')).To(Equal("ready\n"))

			found := adopt(store)
			Expect(found).To(HaveLen(4), "%v", found)
			Expect(found[0]).To(Equal(resident.Finding{Name: "again", Outcome: resident.Taken}))
			Expect(found[1]).To(Equal(resident.Finding{Name: "begins", Outcome: resident.Begins}))
			Expect(found[2]).To(And(HaveField("Name", "broken"), HaveField("Outcome", resident.Left), HaveField("Reason", Not(BeEmpty()))))
			Expect(found[3]).To(Equal(resident.Finding{Name: "owned", Outcome: resident.Watched}))
			Expect(adopt(store)[0]).To(Equal(resident.Finding{Name: "again", Outcome: resident.Watched}))
			Expect(v.log).To(gbytes.Say("a runtime stays without a monitor.*broken"))
		})

		It("finds nothing in an empty store", func() {
			serve(store)
			Expect(adopt(store)).To(BeEmpty())
		})

		It("waits for the end of the process that has served before", func() {
			before, living := sleeper(), sleeper()
			Expect(store.Make()).To(Succeed())
			r := running(store, "build", living.Identity)
			lock, err := resident.TryLock(store)
			Expect(err).NotTo(HaveOccurred())
			Expect(resident.Card{Process: before.Identity, Version: "v1"}.Write(lock)).To(Succeed())
			Expect(lock.Close()).To(Succeed())
			began := time.Now()
			serve(store)
			before.kill()
			if time.Since(began) < time.Second { // it waits for two
				Eventually(r.Record).WithTimeout(time.Second).Should(watchedBy(self()))
			}
			Eventually(r.Record).Should(watchedBy(self()))
		})

		It("takes over many at once", func() {
			living := sleeper()
			for n := range 100 {
				running(store, fmt.Sprintf("r%02d", n), living.Identity)
			}
			serve(store)
			Eventually(func() (resident.Status, error) { return status(store) }).Should(HaveField("Runtimes", 100))
			living.kill()
			Eventually(store.Names).Should(BeEmpty())
		})
	})

	Describe("that has nothing to watch", func() {
		It("ends when its time is over, not before the first request", func() {
			began := time.Now()
			v := serve(store, idle(0))
			Eventually(v.done).Should(Receive(BeNil()))
			Expect(time.Since(began)).To(BeNumerically(">=", resident.Welcome))
			Expect(v.log).To(gbytes.Say("there is nothing to watch"))
		})

		It("ends soon after the last runtime", func() {
			owner := asker(store)
			Expect(owner.asks(resident.MethodStatus, `{}`)).To(HaveField("Name", "dial")) // it has begun, and will ask soon enough
			v := serve(store, idle(time.Millisecond))
			create(store, "build", owner.Identity)
			Expect(owner.asks(resident.MethodWatch, `{"name":"build"}`)).To(HaveField("Name", BeEmpty()))
			Consistently(v.done, 2*resident.Welcome).ShouldNot(Receive())
			Expect(owner.ends()).To(Succeed())
			Eventually(v.done).Should(Receive(BeNil()))
			Expect(store.Names()).To(BeEmpty())
		})

		It("stays where it is to stay for ever", func() {
			v := serve(store)
			Expect(adopt(store)).To(BeEmpty())
			Consistently(v.done, 2*resident.Welcome).ShouldNot(Receive())
		})

		It("answers each request or refuses it as one that is leaving, whenever it comes", func() {
			for n := range 20 {
				store := newStore()
				owner := asker(store)
				v := serve(store, idle(0))
				create(store, "build", owner.Identity)
				Expect(adopt(store)).To(HaveLen(1)) // from now on it may leave
				for range n {
					owner.asks(resident.MethodLeave, `{"name":"other"}`)
				}
				o := owner.asks(resident.MethodWatch, `{"name":"build"}`)
				Expect(o.Name).To(Or(BeEmpty(), Equal(resident.ErrorLeaving), Equal("dial"), Equal("call")), o.Reason)
				if o.Name == "" {
					Expect(v.done).NotTo(Receive(), "it has left a runtime that it had begun to watch")
					v.stop()
				}
				Eventually(v.done).Should(Receive(BeNil()))
			}
		})
	})

	Describe("of another version", func() {
		It("hands over to a newer program alone", func() {
			v := serve(store)
			a := asker(store)
			for _, version := range []string{"v1.2.3", "v1.2.2", "", "(devel)"} {
				Expect(a.asks(resident.MethodHandOver, fmt.Sprintf(`{"version":%q}`, version))).To(And(
					HaveField("Name", resident.ErrorFailed), HaveField("Reason", ContainSubstring("version v1.2.3 serves"))))
			}
			living := sleeper()
			r := running(store, "build", living.Identity)
			Expect(adopt(store)).To(ConsistOf(HaveField("Outcome", resident.Taken)))
			Expect(a.asks(resident.MethodHandOver, `{"version":"v1.2.4"}`)).To(HaveField("Name", BeEmpty()))
			Eventually(v.done).Should(Receive(BeNil()))
			Expect(r.Record()).To(HaveField("State", monitor.StateRunning))
			Expect(lives(living.Identity)).To(BeTrue())
		})
	})
})
