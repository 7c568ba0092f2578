//go:build darwin || linux

package resident_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/internal/unixsocket"
	"github.com/gemini-monitor/gemini/internal/varlink"
	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/monitor/resident"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// idleTime is how long residents of other processes stay in these specs.
const idleTime = 10 * time.Second

// A keeper stands for the monitors of single runtimes.
type keeper struct {
	watched, left atomic.Int32
	meanwhile     func() error // nil for nothing
}

func (k *keeper) Watch(context.Context, *monitor.Runtime) error {
	k.watched.Add(1)
	if k.meanwhile == nil {
		return nil
	}
	return k.meanwhile()
}

func (k *keeper) Leave(context.Context, *monitor.Runtime) { k.left.Add(1) }

// owner starts a process that becomes a shell in a runtime.
func owner(s *monitor.Store, name, version string) *child {
	GinkgoHelper()
	return begins(as("owner", s, name, idleTime.String(), version), GinkgoWriter)
}

// runs returns the identity of a process in whose runtime the command runs, and its monitor.
func (c *child) runs(s *monitor.Store, name string) (by process.Identity) {
	GinkgoHelper()
	Expect(c.out.ReadString('\n')).To(Equal("runs\n"))
	r, err := s.Runtime(name)
	Expect(err).NotTo(HaveOccurred())
	record, err := r.Record()
	Expect(err).NotTo(HaveOccurred())
	Expect(record).To(And(HaveField("Owner", c.Identity), HaveField("State", monitor.StateRunning), HaveField("Monitor", Not(BeNil()))))
	return *record.Monitor
}

var _ = Describe("A client", func() {
	var store *monitor.Store

	BeforeEach(func() { store = newStore() })

	It("starts a resident where none serves, and the next one uses that", func() {
		first, second := owner(store, "first", "v1"), owner(store, "second", "v1")
		by := first.runs(store, "first")
		Expect(second.runs(store, "second")).To(Equal(by))
		Expect(resident.ReadCard(store)).To(HaveField("Process", by))
		Expect(status(store)).To(And(HaveField("Process", by), HaveField("Runtimes", 2), HaveField("Guard", Not(BeZero()))))
		Expect(first.ends()).To(Succeed())
		Eventually(store.Names).Should(Equal([]string{"second"}))
		Expect(second.ends()).To(Succeed())
		Eventually(store.Names).Should(BeEmpty())
	})

	It("is one of 50 at once in an empty store, which get one resident", func() {
		var owners []*child
		for n := range 50 {
			owners = append(owners, owner(store, fmt.Sprint("r", n), "v1"))
		}
		monitors := make(map[process.Identity]bool)
		for n, c := range owners {
			monitors[c.runs(store, fmt.Sprint("r", n))] = true
		}
		Expect(monitors).To(HaveLen(1))
		Expect(resident.ReadCard(store)).To(HaveField("Process", BeKeyOf(monitors)))
		for _, c := range owners {
			Expect(c.ends()).To(Succeed())
		}
		Eventually(store.Names).Should(BeEmpty())
		Expect(store.Dir()).To(WithTransform(names, ConsistOf(
			"runtimes", "trash", resident.LockName, resident.SocketName, resident.LogName, "history.jsonl")))
	})

	Describe("of a resident that is stopped", func() {
		It("gets a monitor of its own, and its log says why", func() {
			stuck := foreground(store, resident.Forever, "v1")
			Expect(stuck.Signal(syscall.SIGSTOP)).To(Succeed())
			c := owner(store, "build", "v1")
			by := c.runs(store, "build")
			Expect(by).NotTo(Equal(stuck.Identity))
			r, err := store.Runtime("build")
			Expect(err).NotTo(HaveOccurred())
			Expect(text(filepath.Join(r.Dir(), "monitor.log"))).To(ContainSubstring("gets a monitor of its own"))

			Expect(stuck.Signal(syscall.SIGCONT)).To(Succeed())
			Expect(adopt(store)).To(Equal([]resident.Finding{{Name: "build", Outcome: resident.Watched}}))
			Expect(r.Record()).To(watchedBy(by))
			Expect(c.ends()).To(Succeed())
			Eventually(store.Names).Should(BeEmpty())
		})

		It("is refused afterwards, where it does not wait any more", func() {
			stuck := foreground(store, resident.Forever, "v1")
			a := asker(store)
			r := create(store, "build", a.Identity)
			Expect(stuck.Signal(syscall.SIGSTOP)).To(Succeed())
			a.sends(call{Method: resident.MethodWatch, In: json.RawMessage(`{"name":"build"}`), HangUp: true})
			Expect(a.hears()).To(Equal(outcome{}))
			a.hangsUp()
			Expect(stuck.Signal(syscall.SIGCONT)).To(Succeed())
			Expect(adopt(store)).To(ConsistOf(HaveField("Outcome", resident.Begins))) // comes after the letter
			Consistently(r.Record).WithTimeout(200 * time.Millisecond).Should(HaveField("Monitor", BeNil()))
			Expect(status(store)).To(HaveField("Runtimes", 0))
		})
	})

	It("gets a monitor of its own where a process has the lock and never answers", func() {
		Expect(store.Make()).To(Succeed())
		lock, err := resident.TryLock(store)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(lock.Close)
		c := owner(store, "build", "v1")
		c.runs(store, "build")
		Expect(resident.SocketPath(store)).NotTo(BeAnExistingFile())
		Expect(c.ends()).To(Succeed())
		Eventually(store.Names).Should(BeEmpty())
	})

	Describe("in this process", func() {
		var (
			own *keeper
			c   *resident.Client
			r   *monitor.Runtime
		)

		BeforeEach(func() {
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

		It("does not wait for one that has been stopped since it was greeted", func() {
			impostor(store, func(ctx context.Context) error {
				<-ctx.Done() // the server stops at the end of the spec
				return ctx.Err()
			}, "Watch")
			Expect(c.Watch(ctx(), r)).To(Succeed())
			Expect(own.watched.Load()).To(BeEquivalentTo(1))
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
})

// impostor answers at the socket of a store as a resident would, and watches nothing. Where
// a method is named, that takes as long as answer does, and so does each request that comes
// after it; else all do.
func impostor(s *monitor.Store, answer func(context.Context) error, from ...string) {
	GinkgoHelper()
	lock, err := resident.TryLock(s)
	Expect(err).NotTo(HaveOccurred())
	door, err := unixsocket.Listen(resident.SocketPath(s))
	Expect(err).NotTo(HaveOccurred())
	var late atomic.Bool
	method := func(name string) varlink.Method {
		return func(ctx context.Context, _ *varlink.Request) (any, error) {
			if len(from) == 0 || late.Load() || name == from[0] {
				late.Store(true)
				return nil, answer(ctx)
			}
			return nil, nil
		}
	}
	server := &varlink.Server{Service: varlink.Service{Interfaces: []varlink.Interface{{
		Name: resident.InterfaceName, Methods: map[string]varlink.Method{"Status": method("Status"), "Watch": method("Watch")},
	}}}}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(ctx, door)
	}()
	DeferCleanup(func() {
		stop()
		_ = door.Close()
		<-ended
		Expect(server.Wait(context.Background())).To(Succeed())
		Expect(lock.Close()).To(Succeed())
	})
}

// mute serves a store and answers no request. It returns how many connections there were.
func mute(s *monitor.Store) *atomic.Int32 {
	GinkgoHelper()
	door, err := unixsocket.Listen(resident.SocketPath(s))
	Expect(err).NotTo(HaveOccurred())
	var asked atomic.Int32
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := door.Accept()
			if err != nil {
				return
			}
			asked.Add(1)
			hangUp(conn)
		}
	}()
	DeferCleanup(func() {
		_ = door.Close()
		<-ended
	})
	return &asked
}

// hangUp closes a connection when a request has come.
func hangUp(conn *net.UnixConn) {
	_, _ = conn.Read(make([]byte, 1))
	_ = conn.Close()
}
