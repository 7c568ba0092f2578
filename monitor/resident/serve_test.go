//go:build darwin || linux

package resident_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/unixsocket"
	"github.com/gemini-monitor/gemini/internal/varlink"
	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/monitor/resident"
)

var _ = Describe("A resident", func() {
	var store *monitor.Store

	BeforeEach(func() { store = newStore() })

	It("makes the store where there is none, and tells who it is", func() {
		serve(store)
		Expect(status(store)).To(And(
			HaveField("Process", self()), HaveField("Version", "v1.2.3"), HaveField("Guard", 0), HaveField("Runtimes", 0),
			HaveField("Started", BeTemporally("~", time.Now(), time.Minute)),
		))
		card, err := resident.ReadCard(store)
		Expect(err).NotTo(HaveOccurred())
		Expect(card.Process).To(Equal(self()))
		Expect(card.Version).To(Equal("v1.2.3"))
	})

	It("leaves its lock and nothing else", func() {
		Expect(serve(store).ends()).To(Succeed())
		Expect(names(store.Dir())).To(ConsistOf("runtimes", "trash", resident.LockName))
		lock, err := resident.TryLock(store)
		Expect(err).NotTo(HaveOccurred())
		Expect(lock.Close()).To(Succeed())
	})

	It("is one: a second one does not serve, and leaves the first alone", func() {
		first := serve(store)
		second := begin(store)
		Eventually(second.done).Should(Receive(MatchError(resident.ErrServed)))
		Expect(status(store)).To(HaveField("Process", self()))
		Expect(first.ends()).To(Succeed())
		serve(store)
	})

	It("describes its protocol", func() {
		serve(store)
		Expect(asker(store).asks("org.varlink.service.GetInfo", `{}`)).To(HaveField("Out", ContainSubstring("io.github.gemini-monitor")))
		text := string(asker(store).asks("org.varlink.service.GetInterfaceDescription", `{"interface":"io.github.gemini-monitor"}`).Out)
		for _, method := range []string{"Watch", "Leave", "Adopt", "Status", "HandOver"} {
			Expect(text).To(ContainSubstring("method " + method))
		}
	})

	Describe("that is asked to watch", func() {
		It("watches the runtime of the process that asks, until that has ended", func() {
			serve(store)
			owner := asker(store)
			r := create(store, "build", owner.Identity)
			watch := owner.asks(resident.MethodWatch, `{"name":"build"}`)
			Expect(watch.Name).To(BeEmpty(), watch.Reason)
			var out struct{ Monitor struct{ PID int } }
			Expect(json.Unmarshal(watch.Out, &out)).To(Succeed())
			Expect(out.Monitor.PID).To(Equal(os.Getpid()))
			Expect(r.Record()).To(watchedBy(self()))
			Expect(status(store)).To(HaveField("Runtimes", 1))
			Expect(owner.ends()).To(Succeed())
			Eventually(store.Names).Should(BeEmpty())
			Eventually(func() (resident.Status, error) { return status(store) }).Should(HaveField("Runtimes", 0))
		})

		It("gives the same answer to the same process again", func() {
			serve(store)
			owner := asker(store)
			create(store, "build", owner.Identity)
			first := owner.asks(resident.MethodWatch, `{"name":"build"}`)
			Expect(first.Name).To(BeEmpty(), first.Reason)
			Expect(owner.asks(resident.MethodWatch, `{"name":"build"}`)).To(Equal(first))
			Expect(status(store)).To(HaveField("Runtimes", 1))
		})

		It("believes the kernel, and not the message, which process asks", func() {
			serve(store)
			owner, other := asker(store), asker(store)
			r := create(store, "build", owner.Identity)
			claim := fmt.Sprintf(`{"name":"build","pid":%d,"owner":{"pid":%[1]d,"start":%d},"start":%[2]d}`, owner.PID, owner.Start)
			Expect(other.asks(resident.MethodWatch, claim)).To(And(
				HaveField("Name", resident.ErrorFailed), HaveField("Reason", ContainSubstring(monitor.ErrNotExist.Error()))))
			Expect(r.Record()).To(And(HaveField("State", monitor.StateStarting), HaveField("Monitor", BeNil())))
			watch := owner.asks(resident.MethodWatch, `{"name":"build"}`)
			Expect(watch.Name).To(BeEmpty(), watch.Reason)

			By("and ends the watching for its owner alone")
			Expect(other.asks(resident.MethodLeave, claim).Name).To(BeEmpty())
			Expect(status(store)).To(HaveField("Runtimes", 1))
		})

		DescribeTable("refuses what is no runtime", func(in, name string, reason OmegaMatcher) {
			serve(store)
			Expect(asker(store).asks(resident.MethodWatch, in)).To(And(HaveField("Name", name), HaveField("Reason", reason)))
			Expect(status(store)).To(HaveField("Runtimes", 0))
		},
			Entry("a name that does not exist", `{"name":"build"}`, resident.ErrorFailed, ContainSubstring("does not exist")),
			Entry("a path", `{"name":"../../etc"}`, resident.ErrorFailed, Not(BeEmpty())),
			Entry("no name", `{}`, resident.ErrorFailed, Not(BeEmpty())),
			Entry("a number", `{"name":7}`, varlink.InvalidParameter, BeEmpty()),
		)

		It("tells that it is older than the program that asks, and watches for one that is not newer", func() {
			serve(store)
			owner := asker(store)
			create(store, "build", owner.Identity)
			Expect(owner.asks(resident.MethodWatch, `{"name":"build","version":"v1.2.4"}`)).To(HaveField("Name", resident.ErrorOlder))
			Expect(status(store)).To(HaveField("Runtimes", 0))
			Expect(owner.asks(resident.MethodWatch, `{"name":"build","version":"v1.0.0"}`)).To(HaveField("Name", BeEmpty()))
		})

		It("leaves a runtime as it is when its owner asks for that", func() {
			serve(store)
			Expect(adopt(store)).To(BeEmpty()) // else it may take over what it is asked to leave
			owner := asker(store)
			r := create(store, "build", owner.Identity)
			Expect(owner.asks(resident.MethodWatch, `{"name":"build"}`)).To(HaveField("Name", BeEmpty()))
			Expect(owner.asks(resident.MethodLeave, `{"name":"build"}`)).To(HaveField("Name", BeEmpty()))
			Expect(status(store)).To(HaveField("Runtimes", 0))
			Expect(r.Record()).To(HaveField("State", monitor.StateRunning))
			Expect(owner.asks(resident.MethodWatch, `{"name":"build"}`)).To(HaveField("Name", BeEmpty()), "its lock is free")
			Expect(owner.asks(resident.MethodLeave, `{"name":"other"}`)).To(HaveField("Name", BeEmpty()), "it watches none of that name")
		})

		It("does not watch for a client that hangs up meanwhile", func() {
			begun, goOn := make(chan struct{}), make(chan struct{})
			serve(store, func(o *resident.Options) {
				inner := o.RuntimeLog
				o.RuntimeLog = func(r *monitor.Runtime) *slog.Logger {
					close(begun)
					<-goOn
					return inner(r)
				}
			})
			Expect(adopt(store)).To(BeEmpty()) // else it may take over what it has left
			owner := asker(store)
			r := create(store, "build", owner.Identity)
			owner.sends(call{Method: resident.MethodWatch, In: json.RawMessage(`{"name":"build"}`), HangUp: true})
			Expect(owner.hears()).To(Equal(outcome{}))
			Eventually(begun).Should(BeClosed())
			owner.hangsUp()
			close(goOn)
			Eventually(func() (resident.Status, error) { return status(store) }).Should(HaveField("Runtimes", 0))
			lock, err := os.OpenFile(filepath.Join(r.Dir(), "monitor.lock"), os.O_RDWR, 0)
			Expect(err).NotTo(HaveOccurred())
			DeferCleanup(lock.Close)
			Eventually(func() error { return flocked(lock) }).Should(Succeed())
		})

	})

	It("serves others while many do not say anything", func() {
		serve(store)
		var all sync.WaitGroup
		for range 200 {
			conn, err := unixsocket.Dial(context.Background(), resident.SocketPath(store))
			Expect(err).NotTo(HaveOccurred())
			DeferCleanup(conn.Close)
		}
		var answered atomic.Int32
		for range 50 {
			all.Go(func() {
				if _, err := status(store); err == nil {
					answered.Add(1)
				}
			})
		}
		all.Wait()
		Expect(answered.Load()).To(BeEquivalentTo(50))
	})
})
