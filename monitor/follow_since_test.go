//go:build darwin || linux

package monitor_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
)

var _ = Describe("The events of a store", func() {
	var store *monitor.Store

	BeforeEach(func() { store = newStore() })

	Context("since a time", func() {
		It("begin with those in the journals and the history, in the order of their times", func() {
			long := byHand(store, "long", 10)
			long.joins(11)
			before := time.Now()
			quick := byHand(store, "quick", 20)
			quick.joins(21)
			long.leaves(11)
			quick.ends()
			f := follow(store, monitor.Following{Since: before})
			Expect(f.words()).To(Equal([]string{
				"quick state starting", "long left 11",
				"quick gap: its journal went with it before it could be read", "quick removed ended",
			}))
			long.joins(12)
			Eventually(f.words).Should(ContainElement("long joined 12"))
		})

		It("lack those of before in a history too", func() {
			byHand(store, "old", 10).ends()
			f := follow(store, monitor.Following{Since: time.Now()})
			byHand(store, "new", 20).ends()
			Eventually(f.words).Should(ContainElement("new removed ended"))
			Expect(f.words()).NotTo(ContainElement(HavePrefix("old")))
		})

		It("have a gap where a journal does not go back so far", func() {
			build := byHand(store, "build", 10)
			begin := time.Now()
			for pid := 100; pid < 100+monitor.MaxLines; pid++ {
				build.joins(pid)
				build.leaves(pid)
			}
			shortened := time.Now()
			build.joins(11)
			Expect(follow(store, monitor.Following{Since: begin}).words()).To(ContainElements("build gap: the journal was shortened", "build joined 11"))
			Expect(follow(store, monitor.Following{Since: shortened}).words()).To(Equal([]string{"build joined 11"}))
		})

		It("have a gap where the history does not go back so far", func() {
			begin := time.Now()
			Expect(os.WriteFile(store.Path(monitor.HistoryFile)+".1", nil, 0o600)).To(Succeed())
			byHand(store, "build", 10).ends()
			Expect(follow(store, monitor.Following{Since: begin}).words()).To(ContainElement(" gap: the history does not go back further"))
			Expect(follow(store, monitor.Following{Since: time.Now()}).words()).To(BeEmpty())
		})

		It("of a runtime that is gone are those in the history", func() {
			build := byHand(store, "build", 10)
			build.ends()
			f := follow(store, monitor.Following{Since: time.Unix(0, 0), Name: "build", Owner: build.owner})
			Eventually(f.done).Should(Receive(BeNil()))
			Expect(f.words()).To(HaveLen(3))
		})
	})

	It("go on in the next file when the history is full", func() {
		f := follow(store, monitor.Following{})
		byHand(store, "first", 10).ends()
		Eventually(f.words).Should(ContainElement("first removed ended"))
		byHand(store, "second", 20).ends()
		Expect(os.Rename(store.Path(monitor.HistoryFile), store.Path(monitor.HistoryFile)+".1")).To(Succeed())
		byHand(store, "third", 30).ends()
		Eventually(f.words).Should(ContainElements("second removed ended", "third removed ended"))
		Expect(f.words()).NotTo(ContainElement(ContainSubstring("history")))
	})

	It("have a gap where the history was replaced twice at once", func() {
		byHand(store, "first", 10).ends()
		build := byHand(store, "build", 20)
		f := followAndStall(store)
		build.joins(21)
		Eventually(f.stalled).Should(Receive())
		for _, name := range []string{"second", "third"} {
			byHand(store, name, 30).ends()
			Expect(os.Rename(store.Path(monitor.HistoryFile), store.Path(monitor.HistoryFile)+".1")).To(Succeed())
		}
		byHand(store, "fourth", 40).ends()
		close(f.stall)
		Eventually(f.words).Should(ContainElements("third removed ended", "fourth removed ended", " gap: the history does not go back further"))
	})

	It("are those of a runtime whose directory was removed by hand", func() {
		build := byHand(store, "build", 10)
		f := follow(store, monitor.Following{Name: "build", Owner: build.owner})
		Expect(os.RemoveAll(build.Dir())).To(Succeed())
		Eventually(f.done).Should(Receive(BeNil()))
		Expect(f.words()).To(Equal([]string{"build removed"}))
	})

	It("are its removal, where the one runtime had gone by then and the history does not have it", func() {
		build := byHand(store, "build", 10)
		Expect(build.Remove()).To(Succeed())
		f := follow(store, monitor.Following{Name: "build", Owner: build.owner})
		Eventually(f.done).Should(Receive(BeNil()))
		Expect(f.words()).To(Equal([]string{"build removed"}))
	})

	It("have a gap in place of a line of a journal that is none", func() {
		build := byHand(store, "build", 10)
		f := follow(store, monitor.Following{})
		journal, err := os.OpenFile(build.Path(monitor.JournalFile), os.O_WRONLY|os.O_APPEND, 0)
		Expect(err).NotTo(HaveOccurred())
		defer journal.Close()
		_, err = fmt.Fprintln(journal, "?")
		Expect(err).NotTo(HaveOccurred())
		Eventually(f.words).Should(ContainElement(HavePrefix("build gap: a line of the journal is none: ")))
		build.joins(11)
		Eventually(f.words).Should(ContainElement("build joined 11"))
	})

	It("wait for the end of a line", func() {
		build := byHand(store, "build", 10)
		f := follow(store, monitor.Following{})
		journal, err := os.OpenFile(build.Path(monitor.JournalFile), os.O_WRONLY|os.O_APPEND, 0)
		Expect(err).NotTo(HaveOccurred())
		defer journal.Close()
		_, err = fmt.Fprint(journal, `{"time":"2100-01-02T12:00:00Z",`)
		Expect(err).NotTo(HaveOccurred())
		rests := f.rests()
		byHand(store, "other", 20)
		Eventually(f.rests).Should(BeNumerically(">", rests))
		_, err = fmt.Fprintln(journal, `"event":"emptied"}`)
		Expect(err).NotTo(HaveOccurred())
		Eventually(f.words).Should(Equal([]string{"other state starting", "build emptied"}))
	})

	It("come from a store that is made later", func() {
		late, err := monitor.Open(filepath.Join(GinkgoT().TempDir(), "late"))
		Expect(err).NotTo(HaveOccurred())
		f := follow(late, monitor.Following{})
		build := byHand(late, "build", 10)
		build.joins(11)
		Eventually(f.words).Should(ContainElement("build joined 11"))
		build.ends()
		Eventually(f.words).Should(ContainElement("build removed ended"))
	})

	It("end with an error of the reader, or of the context", func() {
		build := byHand(store, "build", 10)
		full := errors.New("full")
		ctx, end := context.WithCancel(context.Background())
		defer end()
		Expect(store.Follow(ctx, monitor.Following{Since: time.Unix(0, 0), Report: func(monitor.Event) error { return full }})).To(MatchError(full))
		f := follow(store, monitor.Following{})
		f.end()
		Eventually(f.done).Should(Receive(MatchError(context.Canceled)))
		build.joins(11)
		end()
		Expect(store.Follow(ctx, monitor.Following{Report: func(monitor.Event) error { return nil }})).To(MatchError(context.Canceled))
	})
})
