//go:build darwin || linux

package resident_test

import (
	"context"
	"errors"
	"log/slog"
	"os"

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

	Describe("in trouble", func() {
		DescribeTable("makes its socket anew at once", func(lose func(path string)) {
			v := serve(store)
			lose(resident.SocketPath(store))
			Eventually(v.log).Should(gbytes.Say("the socket was removed"))
			Eventually(func() (resident.Status, error) { return status(store) }).Should(HaveField("Process", self()))
		},
			Entry("where it was removed", func(path string) { Expect(os.Remove(path)).To(Succeed()) }),
			Entry("where it was renamed", func(path string) { Expect(os.Rename(path, path+".old")).To(Succeed()) }),
			Entry("where another socket was put in its place", func(path string) {
				other, err := unixsocket.Listen(path + ".new")
				Expect(err).NotTo(HaveOccurred())
				DeferCleanup(other.Close)
				Expect(os.Rename(path+".new", path)).To(Succeed())
			}),
		)

		It("makes its socket anew each time, also after its store was moved and moved back", func() {
			moved := make(chan error, 1)
			v := serve(store, func(o *resident.Options) {
				o.Ready = func() error { // it looks for its files after that, and would end where it sees none
					moved <- errors.Join(os.Rename(store.Dir(), store.Dir()+".old"), os.Rename(store.Dir()+".old", store.Dir()))
					return nil
				}
			})
			Eventually(moved).Should(Receive(BeNil()))
			for range 3 {
				Expect(os.Remove(resident.SocketPath(store))).To(Succeed())
				Eventually(func() (resident.Status, error) { return status(store) }).Should(HaveField("Process", self()))
			}
			Expect(v.done).NotTo(Receive())
		})

		It("leaves what is no socket where it is, and serves when that has gone", func() {
			v := serve(store)
			aside := store.Dir() + ".file"
			Expect(os.WriteFile(aside, []byte("precious"), 0o600)).To(Succeed())
			Expect(os.Rename(aside, resident.SocketPath(store))).To(Succeed())
			Eventually(v.log).Should(gbytes.Say("no socket.*regular file"))
			Expect(text(resident.SocketPath(store))).To(Equal("precious"))
			Expect(os.Remove(resident.SocketPath(store))).To(Succeed())
			Eventually(func() (resident.Status, error) { return status(store) }).Should(HaveField("Process", self()))
		})

		It("leaves a directory there too", func() {
			v := serve(store)
			Eventually(func() error {
				_ = os.Remove(resident.SocketPath(store)) // which may come again at once
				return os.Mkdir(resident.SocketPath(store), 0o700)
			}).Should(Succeed())
			Eventually(v.log).Should(gbytes.Say("no socket.*directory"))
			Expect(resident.SocketPath(store)).To(BeADirectory())
			Expect(os.Remove(resident.SocketPath(store))).To(Succeed())
			Eventually(func() (resident.Status, error) { return status(store) }).Should(HaveField("Process", self()))
		})

		It("tells once that it has no socket, and goes on trying", func() {
			v := serve(store)
			conn := connect(store)
			Eventually(func() error {
				_ = os.Remove(resident.SocketPath(store))
				return os.Mkdir(resident.SocketPath(store), 0o700)
			}).Should(Succeed())
			Eventually(v.log).Should(gbytes.Say("no socket.*directory"))
			for range 3 {
				Expect(varlink.Call(context.Background(), conn, resident.MethodAdopt, struct{}{}, nil)).To(Succeed())
			}
			Expect(v.ends()).To(Succeed())
			Expect(v.log).NotTo(gbytes.Say("no socket"))
		})

		DescribeTable("ends at once where its store is another's", func(replace func()) {
			v := serve(store)
			replace()
			Eventually(v.done).Should(Receive(MatchError(resident.ErrReplaced)))
		},
			Entry("its lock was removed", func() { Expect(os.Remove(resident.LockPath(store))).To(Succeed()) }),
			Entry("its lock was replaced", func() {
				Expect(os.Remove(resident.LockPath(store))).To(Succeed())
				Expect(os.WriteFile(resident.LockPath(store), nil, 0o600)).To(Succeed())
			}),
			Entry("the store was removed", func() {
				Eventually(os.RemoveAll).WithArguments(store.Dir()).Should(Succeed()) // it may make its socket anew, while its lock is there
			}),
		)

		It("ends when it is asked, or a runtime ends, where its store was moved", func() {
			v := serve(store)
			conn := connect(store)
			Expect(os.Rename(store.Dir(), store.Dir()+".old")).To(Succeed())
			Expect(store.Make()).To(Succeed())
			_ = varlink.Call(context.Background(), conn, resident.MethodAdopt, struct{}{}, nil)
			Eventually(v.done).Should(Receive(MatchError(resident.ErrReplaced)))
		})

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
