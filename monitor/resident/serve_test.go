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
	"github.com/onsi/gomega/gbytes"

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

	Describe("in trouble", func() {
		It("makes its socket anew where that was removed", func() {
			v := serve(store)
			conn := connect(store)
			Expect(os.Remove(resident.SocketPath(store))).To(Succeed())
			Expect(varlink.Call(context.Background(), conn, resident.MethodAdopt, struct{}{}, nil)).To(Succeed())
			Eventually(func() (resident.Status, error) { return status(store) }).Should(HaveField("Process", self()))
			Expect(v.log).To(gbytes.Say("the socket was removed"))
		})

		It("leaves what is no socket where it is, and serves when that has gone", func() {
			v := serve(store)
			conn := connect(store)
			Expect(os.Remove(resident.SocketPath(store))).To(Succeed())
			Expect(os.Mkdir(resident.SocketPath(store), 0o700)).To(Succeed())
			Expect(varlink.Call(context.Background(), conn, resident.MethodAdopt, struct{}{}, nil)).To(Succeed())
			Eventually(v.log).Should(gbytes.Say("no socket.*directory"))
			Expect(resident.SocketPath(store)).To(BeADirectory())
			Expect(os.Remove(resident.SocketPath(store))).To(Succeed())
			Expect(varlink.Call(context.Background(), conn, resident.MethodAdopt, struct{}{}, nil)).To(Succeed())
			Eventually(func() (resident.Status, error) { return status(store) }).Should(HaveField("Process", self()))
		})

		DescribeTable("ends where its store is another's", func(replace func()) {
			v := serve(store)
			conn := connect(store)
			replace()
			_ = varlink.Call(context.Background(), conn, resident.MethodAdopt, struct{}{}, nil)
			Eventually(v.done).Should(Receive(MatchError(resident.ErrReplaced)))
		},
			Entry("its lock was removed", func() { Expect(os.Remove(resident.LockPath(store))).To(Succeed()) }),
			Entry("its lock was replaced", func() {
				Expect(os.Remove(resident.LockPath(store))).To(Succeed())
				Expect(os.WriteFile(resident.LockPath(store), nil, 0o600)).To(Succeed())
			}),
			Entry("the store was removed", func() { Expect(os.RemoveAll(store.Dir())).To(Succeed()) }),
			Entry("the store was moved", func() {
				Expect(os.Rename(store.Dir(), store.Dir()+".old")).To(Succeed())
				Expect(store.Make()).To(Succeed())
			}),
		)

		It("leaves the socket of its successor alone", func() {
			v := serve(store)
			Expect(os.Rename(store.Dir(), store.Dir()+".old")).To(Succeed())
			successor := serve(store)
			Expect(v.ends()).To(Or(Succeed(), MatchError(resident.ErrReplaced)))
			Expect(status(store)).To(HaveField("Process", self()))
			Expect(successor.ends()).To(Succeed())
		})

		DescribeTable("keeps a defect to the runtime that it shows in", func(when string) {
			living := sleeper()
			good, bad := running(store, "good", living.Identity), running(store, "bad", living.Identity)
			v := serve(store, func(o *resident.Options) {
				inner := o.RuntimeLog
				o.RuntimeLog = func(r *monitor.Runtime) *slog.Logger {
					if r.Name() == "bad" {
						return slog.New(&mine{message: when})
					}
					return inner(r)
				}
			})
			Eventually(good.Record).Should(watchedBy(self()))
			if when == "left" {
				// The record names the monitor a little before it watches.
				Eventually(v.log.Contents).Should(ContainSubstring(`msg="took over a runtime" runtime=bad`))
				living.kill()
				Eventually(store.Names).Should(Equal([]string{"bad"}))
			}
			Eventually(bad.Record).Should(And(
				HaveField("State", monitor.StateUnknown), HaveField("Reason", ContainSubstring("struck a mine")), HaveField("Monitor", HaveValue(Equal(self())))))
			Expect(status(store)).To(HaveField("Process", self()))
		},
			Entry("when it begins to watch", "watching"),
			Entry("while it watches", "left"),
		)
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

// A mine is a log that panics at one message.
type mine struct{ message string }

func (m *mine) Enabled(context.Context, slog.Level) bool { return true }
func (m *mine) Handle(_ context.Context, r slog.Record) error {
	if r.Message == m.message {
		panic("struck a mine")
	}
	return nil
}
func (m *mine) WithAttrs([]slog.Attr) slog.Handler { return m }
func (m *mine) WithGroup(string) slog.Handler      { return m }
