//go:build darwin || linux

package monitor_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// wordsOf returns an event as a few words, without its time.
func wordsOf(e monitor.Event) string {
	text := fmt.Sprint(e.Name, " ", e.Kind)
	switch {
	case e.Member != nil:
		return fmt.Sprint(text, " ", e.Member.PID)
	case e.State != "":
		return fmt.Sprint(text, " ", e.State)
	case e.Kind == monitor.EventRemoved && e.How != "":
		return fmt.Sprint(text, " ", e.How)
	case e.Kind == monitor.EventGap:
		return fmt.Sprint(text, ": ", e.Reason)
	}
	return text
}

// A follower is a reader of events in this process.
type follower struct {
	mu     sync.Mutex
	told   []string
	events []monitor.Event
	rested int

	stall   chan struct{} // if it is set, the reader stalls with an event until it is closed
	stalled chan struct{} // receives when the reader stalls
	done    chan error
	end     context.CancelFunc
}

// words returns what was reported so far.
func (f *follower) words() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string{}, f.told...)
}

// all returns the events that were reported so far.
func (f *follower) all() []monitor.Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]monitor.Event{}, f.events...)
}

// rests returns how often all was reported that there was.
func (f *follower) rests() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.rested
}

// follow begins to follow a store, until the end of the spec at the latest. It returns when
// what happens from now on is reported.
func follow(s *monitor.Store, what monitor.Following) *follower {
	GinkgoHelper()
	f := &follower{done: make(chan error, 1)}
	f.begin(s, what)
	return f
}

// followAndStall is follow with a reader that stalls with the first event.
func followAndStall(s *monitor.Store) *follower {
	GinkgoHelper()
	f := &follower{done: make(chan error, 1), stall: make(chan struct{}), stalled: make(chan struct{}, 1)}
	f.begin(s, monitor.Following{})
	return f
}

// begin returns when what happens from now on is reported.
func (f *follower) begin(s *monitor.Store, what monitor.Following) {
	GinkgoHelper()
	ctx, end := context.WithCancel(context.Background())
	f.end = end
	what.Report = func(e monitor.Event) error {
		if f.stall != nil {
			select {
			case f.stalled <- struct{}{}:
			default:
			}
			select {
			case <-f.stall:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.told, f.events = append(f.told, wordsOf(e)), append(f.events, e)
		return nil
	}
	what.Rest = func() error {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.rested++
		return nil
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f.done <- s.Follow(ctx, what)
	}()
	DeferCleanup(func() {
		end()
		Eventually(ended).Should(BeClosed())
	})
	Eventually(f.rests).Should(BeNumerically(">", 0))
}

// A hand writes the files of a runtime as its monitor does.
type hand struct {
	*monitor.Runtime
	monitor.Journal
	owner process.Identity
}

// byHand makes a runtime with an owner that does not live.
func byHand(s *monitor.Store, name string, pid int) hand {
	GinkgoHelper()
	owner := process.Identity{PID: pid, Start: 7, Boot: "now"}
	r := own(s, name, owner)
	j, err := monitor.OpenJournal(r.Path(monitor.JournalFile))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(j.Close)
	return hand{r, j, owner}
}

// member is a process of a runtime by hand.
func (h hand) member(pid int) trees.Member {
	link := trees.Link{Kind: trees.LinkParent, Through: h.owner}
	return trees.Member{Process: process.Process{Identity: process.Identity{PID: pid, Start: 8, Boot: "now"}, Parent: 1}, Link: link, Joined: time.Now()}
}

func (h hand) joins(pid int) {
	GinkgoHelper()
	Expect(h.Append(trees.Change{Kind: trees.Joined, Time: time.Now(), Member: h.member(pid)})).To(Succeed())
}

func (h hand) leaves(pid int) {
	GinkgoHelper()
	Expect(h.Append(trees.Change{Kind: trees.Left, Time: time.Now(), Member: h.member(pid)})).To(Succeed())
}

// ends removes the runtime as its monitor does.
func (h hand) ends() {
	GinkgoHelper()
	s := h.Store()
	record, err := h.Record()
	Expect(err).NotTo(HaveOccurred())
	Expect(s.SetAside(h.Runtime)).To(Succeed())
	Expect(s.AddPast(monitor.PastOf(record, time.Now()))).To(Succeed())
	for _, name := range contents(s.Trash()) {
		Expect(os.RemoveAll(filepath.Join(s.Trash(), name))).To(Succeed())
	}
}

var _ = Describe("The events of a store", func() {
	var store *monitor.Store

	BeforeEach(func() { store = newStore() })

	It("are joins, leaves, states and the removal, as they happen", func() {
		earlier := byHand(store, "earlier", 10)
		earlier.joins(11)
		f := follow(store, monitor.Following{})
		g := newGate()
		owner := start("read -r x <&3", through(g)...)
		w := watched(own(store, "build", owner.Identity))
		pid := owner.PID
		Eventually(f.words).Should(ConsistOf("build state starting", "build state running", fmt.Sprint("build joined ", pid)))
		g.open()
		Expect(w.ends()).To(Succeed())
		Eventually(f.words).Should(ContainElement("build removed ended"))
		Expect(f.words()[3:]).To(Equal([]string{fmt.Sprint("build left ", pid), "build emptied", "build removed ended"}))
		all := f.all()
		Expect(all[0]).To(And(HaveField("Owner", HaveValue(Equal(owner.Identity))), HaveField("Command", []string{"sh"})))
		Expect(all[len(all)-1]).To(And(HaveField("Owner", HaveValue(Equal(owner.Identity))), HaveField("Command", []string{"sh"})))
		earlier.leaves(11)
		Eventually(f.words).Should(ContainElement("earlier left 11"))
	})

	It("are of one runtime, and end with it", func() {
		build, other := byHand(store, "build", 10), byHand(store, "other", 20)
		f := follow(store, monitor.Following{Name: "build", Owner: build.owner})
		other.joins(21)
		other.ends()
		build.joins(11)
		build.ends()
		byHand(store, "build", 30).joins(31)
		Eventually(f.done).Should(Receive(BeNil()))
		Expect(f.words()).To(Equal([]string{"build joined 11", "build removed ended"}))
	})

	It("tell a later runtime of the same name from the one before", func() {
		f := follow(store, monitor.Following{})
		first := byHand(store, "build", 10)
		first.joins(11)
		Expect(store.SetAside(first.Runtime)).To(Succeed())
		second := byHand(store, "build", 20)
		second.joins(21)
		Eventually(f.words).Should(ContainElement("build joined 21"))
		record, err := monitor.ReadRecord(filepath.Join(store.Trash(), contents(store.Trash())[0]))
		Expect(err).NotTo(HaveOccurred())
		Expect(store.AddPast(monitor.PastOf(record, time.Now()))).To(Succeed())
		Eventually(f.words).Should(ContainElement("build removed ended"))
		Expect(f.all()[len(f.all())-1].Owner).To(HaveValue(Equal(first.owner)))
		second.joins(22)
		Eventually(f.words).Should(ContainElement("build joined 22"))
	})

	It("lack none where a journal is shortened, and repeat none", func() {
		build := byHand(store, "build", 10)
		build.joins(11)
		f := follow(store, monitor.Following{})
		for pid := 100; pid < 100+monitor.MaxLines; pid++ {
			build.joins(pid)
			build.leaves(pid)
			if pid%1000 == 0 { // of two shortenings between its looks a reader has a gap
				Eventually(f.words).Should(ContainElement(fmt.Sprint("build left ", pid)))
			}
		}
		build.joins(12)
		Eventually(f.words, time.Minute).Should(ContainElement("build joined 12"))
		var want []string
		for pid := 100; pid < 100+monitor.MaxLines; pid++ {
			want = append(want, fmt.Sprint("build joined ", pid), fmt.Sprint("build left ", pid))
		}
		Expect(f.words()).To(Equal(append(want, "build joined 12")))
	})

	It("have a gap where a journal was shortened twice while the reader stalled, with the members that joined", func() {
		build := byHand(store, "build", 10)
		build.joins(11)
		f := followAndStall(store)
		build.joins(12)
		Eventually(f.stalled).Should(Receive())
		for pid := 100; pid < 100+2*monitor.MaxLines; pid++ {
			build.joins(pid)
			build.leaves(pid)
		}
		build.joins(13)
		for pid := 100; pid < 100+monitor.MaxLines; pid++ {
			build.joins(pid + 10000)
			build.leaves(pid + 10000)
		}
		build.joins(14)
		close(f.stall)
		Eventually(f.words).Should(ContainElement("build joined 14"))
		Expect(f.words()[:2]).To(Equal([]string{"build joined 12", "build joined 100"}))
		Expect(f.words()).To(ContainElements("build gap: the journal was shortened", "build joined 13"))
		Expect(strings.Count(strings.Join(f.words(), "\n")+"\n", "build joined 12\n")).To(Equal(1))
		gap := f.all()[slices.Index(f.words(), "build gap: the journal was shortened")]
		Expect(*gap.Since).To(BeTemporally("<", gap.Time))
	})

	It("have a gap for what came and went while the reader stalled, and the whole of what is in the trash", func() {
		build := byHand(store, "build", 10)
		f := followAndStall(store)
		build.joins(11)
		Eventually(f.stalled).Should(Receive())
		quick := byHand(store, "quick", 20)
		quick.joins(21)
		quick.ends()
		kept := byHand(store, "kept", 30)
		kept.joins(31)
		record, err := kept.Record()
		Expect(err).NotTo(HaveOccurred())
		Expect(store.SetAside(kept.Runtime)).To(Succeed())
		Expect(store.AddPast(monitor.PastOf(record, time.Now()))).To(Succeed())
		close(f.stall)
		Eventually(f.words).Should(ContainElement("kept removed ended"))
		Expect(f.words()).To(Equal([]string{
			"build joined 11",
			"quick state starting", "quick gap: its journal went with it before it could be read", "quick removed ended",
			"kept state starting", "kept joined 31", "kept removed ended",
		}))
	})
})
