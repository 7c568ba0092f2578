//go:build darwin || linux

package resident_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

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
		Expect(status(store)).To(And(HaveField("Process", by), HaveField("Runtimes", 2)))
		Eventually(func() (resident.Status, error) { return status(store) }).Should(HaveField("Guard", Not(BeZero()))) // which it starts when it answers
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
			stops(stuck.Identity)
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
			stops(stuck.Identity)
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
})
