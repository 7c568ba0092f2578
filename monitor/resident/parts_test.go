//go:build darwin || linux

package resident_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/unixsocket"
	"github.com/gemini-monitor/gemini/internal/varlink"
	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/monitor/resident"
	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("The limit of deaths", func() {
	start := time.Date(2026, 11, 26, 5, 0, 0, 0, time.UTC)

	It("admits a few within its window, and then no more", func() {
		var d resident.Deaths
		for n := range resident.MaxDeaths {
			Expect(d.Admit(start.Add(time.Duration(n)))).To(BeTrue())
		}
		Expect(d.Admit(start.Add(time.Second))).To(BeFalse())
	})

	It("forgets those that are as old as the window", func() {
		var d resident.Deaths
		for n := range 10 * resident.MaxDeaths {
			Expect(d.Admit(start.Add(time.Duration(n)*resident.DeathTime/resident.MaxDeaths))).To(BeTrue(), "%d", n)
		}
		var one resident.Deaths
		for n := range 2 * resident.MaxDeaths {
			alive := one.Admit(start.Add(time.Duration(n) * (resident.DeathTime / (resident.MaxDeaths + 1))))
			Expect(alive).To(Equal(n < resident.MaxDeaths), "%d", n)
		}
	})
})

var _ = DescribeTable("A version is older than another", func(one, other string, is bool) {
	Expect(resident.Older(one, other)).To(Equal(is))
	Expect(resident.Status{Version: one}.OlderThan(other)).To(Equal(is))
	Expect(resident.Status{Version: other}.NewerThan(one)).To(Equal(is))
},
	Entry("with a smaller number", "v1.2.9", "v1.10.0", true),
	Entry("not with a greater one", "v1.10.0", "v1.2.9", false),
	Entry("not than itself", "v1.2.3", "v1.2.3", false),
	Entry("as a commit before a release", "v1.2.4-0.20261126050417-140520692352", "v1.2.4", true),
	Entry("as an earlier commit", "v0.0.0-20261125050417-140520692352", "v0.0.0-20261126050417-140520692352", true),
	Entry("not for changes that were not committed", "v1.2.3", "v1.2.3+dirty", false),
	Entry("not where it is not known", "", "v1.2.3", false),
	Entry("not where the other is not known", "v1.2.3", "(devel)", false),
)

var _ = DescribeTable("A resident with nothing to do waits", func(idle time.Duration, asked bool, served, wait time.Duration) {
	Expect(resident.Patience(idle, asked, served)).To(Equal(wait))
},
	Entry("for its idle time", time.Minute, true, time.Second, time.Minute),
	Entry("for nothing where that is 0", 0*time.Second, true, time.Second, 0*time.Second),
	Entry("for the process that has started it", 0*time.Second, false, resident.Welcome/2, resident.Welcome/2),
	Entry("for that process not for ever", 0*time.Second, false, 2*resident.Welcome, 0*time.Second),
	Entry("for its idle time, where that is longer", time.Minute, false, time.Second, time.Minute),
)

var _ = DescribeTable("An error is answered", func(err error, name, reason string) {
	refused := resident.Refusal(err)
	failed, ok := errors.AsType[*varlink.Error](refused)
	Expect(ok).To(BeTrue())
	Expect(failed.Name).To(Equal(name))
	Expect(failed.Reason()).To(Equal(reason))
},
	Entry("that a client may repeat", fmt.Errorf("a: %w", resident.ErrLeaving), resident.ErrorLeaving, ""),
	Entry("about a stranger's namespace", fmt.Errorf("a: %w", unixsocket.ErrForeign), resident.ErrorForeign, "a: "+unixsocket.ErrForeign.Error()),
	Entry("with its reason", errors.New("no luck today"), resident.ErrorFailed, "no luck today"),
)

var _ = Describe("A client", func() {
	It("shows the reason of an answer, and no name of the protocol", func() {
		Expect(resident.Explain(fmt.Errorf("call: %w", varlink.NewError(resident.ErrorFailed, "no luck today")))).To(MatchError("no luck today"))
		Expect(resident.Explain(fs.ErrNotExist)).To(MatchError(fs.ErrNotExist))
		Expect(resident.Explain(&varlink.Error{Name: varlink.MethodNotFound})).To(MatchError(ContainSubstring(varlink.MethodNotFound)))
	})
})

var _ = DescribeTable("What was found at the start and a moment later is one answer:", func(first, second, both resident.Outcome) {
	list := func(what resident.Outcome) []resident.Finding {
		if what == "" {
			return []resident.Finding{}
		}
		return []resident.Finding{{Name: "build", Outcome: what}}
	}
	Expect(resident.Together(list(first), list(second))).To(BeEquivalentTo(list(both)))
},
	Entry("taken over", resident.Taken, resident.Watched, resident.Taken),
	Entry("taken over and removed since", resident.Taken, resident.Outcome(""), resident.Taken),
	Entry("watched before", resident.Watched, resident.Watched, resident.Watched),
	Entry("watched before, and over since", resident.Watched, resident.Outcome(""), resident.Outcome("")),
	Entry("taken over later", resident.Begins, resident.Taken, resident.Taken),
	Entry("left", resident.Left, resident.Left, resident.Left),
	Entry("taken over, and left later", resident.Taken, resident.Left, resident.Left),
	Entry("new since", resident.Outcome(""), resident.Begins, resident.Begins),
)

var _ = Describe("The lock of a store", func() {
	var store *monitor.Store

	BeforeEach(func() {
		store = newStore()
		Expect(store.Make()).To(Succeed())
	})

	lock := func() *os.File {
		GinkgoHelper()
		file, err := resident.TryLock(store)
		Expect(err).NotTo(HaveOccurred())
		Expect(file).NotTo(BeNil())
		DeferCleanup(func() { _ = file.Close() })
		return file
	}

	It("has one holder, and is free when that has ended", func() {
		held := lock()
		Expect(resident.TryLock(store)).To(BeNil())
		Expect(held.Close()).To(Succeed())
		lock()
	})

	It("is made with a mode for its user alone, whatever the umask", func() {
		Expect(lock().Close()).To(Succeed())
		Expect(os.Chmod(resident.LockPath(store), 0)).To(Succeed()) // its maker died before it set the mode
		lock()
		info, err := os.Stat(resident.LockPath(store))
		Expect(err).NotTo(HaveOccurred())
		Expect(info.Mode()).To(Equal(fs.FileMode(0o600)))
	})

	It("that was passed on is the store's, and locked", func() {
		held := lock()
		Expect(resident.StillLocked(store, held)).To(Succeed())
		other, err := os.OpenFile(resident.LockPath(store), os.O_RDWR, 0)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(other.Close)
		Expect(resident.StillLocked(store, other)).To(MatchError(resident.ErrServed))
		Expect(os.Rename(resident.LockPath(store), resident.LockPath(store)+".1")).To(Succeed())
		Expect(resident.StillLocked(store, held)).To(MatchError(resident.ErrReplaced))
		null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(null.Close)
		Expect(resident.StillLocked(store, null)).NotTo(Succeed())
	})

	It("needs a store", func() {
		Expect(os.RemoveAll(store.Dir())).To(Succeed())
		_, err := resident.TryLock(store)
		Expect(err).To(MatchError(fs.ErrNotExist))
	})
})

var _ = Describe("The card of a resident", func() {
	var store *monitor.Store

	BeforeEach(func() {
		store = newStore()
		Expect(store.Make()).To(Succeed())
	})

	cardOf := func(version string) resident.Card {
		return resident.Card{
			Process: process.Identity{PID: 42, Start: 7, Boot: "now"}, Host: "here", Version: version,
			Started: time.Date(2026, 11, 26, 5, 0, 0, 0, time.UTC),
		}
	}
	write := func(c resident.Card) {
		GinkgoHelper()
		lock, err := os.OpenFile(resident.LockPath(store), os.O_RDWR|os.O_CREATE, 0o600)
		Expect(err).NotTo(HaveOccurred())
		Expect(c.Write(lock)).To(Succeed())
		Expect(lock.Close()).To(Succeed())
	}

	It("is read as it was written, also over a longer one", func() {
		for _, version := range []string{"v1", strings.Repeat("9", 100), "v2"} {
			write(cardOf(version))
			Expect(resident.ReadCard(store)).To(Equal(cardOf(version)))
		}
	})

	It("is never absent or half there while another is written over it", func() {
		write(cardOf("v1"))
		written := make(chan struct{})
		go func() {
			defer GinkgoRecover()
			defer close(written)
			for n := range 200 {
				write(cardOf("v" + strings.Repeat("1", n%50)))
			}
		}()
		for reading := true; reading; {
			select {
			case <-written:
				reading = false
			default:
			}
			Expect(resident.ReadCard(store)).To(HaveField("Host", "here"))
		}
	})

	It("does not exist in a store without a resident", func() {
		_, err := resident.ReadCard(store)
		Expect(err).To(MatchError(fs.ErrNotExist))
		Expect(os.WriteFile(resident.LockPath(store), nil, 0o600)).To(Succeed())
		_, err = resident.ReadCard(store)
		Expect(err).To(MatchError(fs.ErrNotExist))
	})

	It("that is half written is an error", func() {
		Expect(os.WriteFile(resident.LockPath(store), []byte(`{"process":{"pid":4`), 0o600)).To(Succeed())
		_, err := resident.ReadCard(store)
		Expect(err).To(HaveOccurred())
		Expect(err).NotTo(MatchError(fs.ErrNotExist))
	})
})

var _ = Describe("The log of a resident", func() {
	var dir, path string

	BeforeEach(func() {
		dir = GinkgoT().TempDir()
		path = filepath.Join(dir, resident.LogName)
	})

	open := func() *resident.LogFile {
		GinkgoHelper()
		log, err := resident.OpenLog(path)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(log.Close)
		return log
	}
	line := []byte(strings.Repeat("x", 1<<10-1) + "\n")
	write := func(log *resident.LogFile, times int) {
		GinkgoHelper()
		for range times {
			Expect(log.Write(line)).To(Equal(len(line)))
		}
	}
	sizes := func() (sizes map[string]int64) {
		GinkgoHelper()
		sizes = make(map[string]int64)
		entries, err := os.ReadDir(dir)
		Expect(err).NotTo(HaveOccurred())
		for _, e := range entries {
			info, err := e.Info()
			Expect(err).NotTo(HaveOccurred())
			sizes[e.Name()] = info.Size()
		}
		return sizes
	}
	const full = resident.MaxLog >> 10 // lines

	It("has two files of a limited size, whatever is written", func() {
		write(open(), full)
		Expect(sizes()).To(HaveLen(1))
		write(open(), 1)
		Expect(sizes()).To(Equal(map[string]int64{resident.LogName: 1 << 10, resident.LogName + ".1": resident.MaxLog}))
		write(open(), 5*full+7)
		Expect(sizes()).To(Equal(map[string]int64{resident.LogName: 8 << 10, resident.LogName + ".1": resident.MaxLog}))
	})

	It("is rotated once where two processes write to it", func() {
		one, other := open(), open()
		write(one, full)
		write(other, 1)
		write(one, 1) // begins a file
		write(other, full-1)
		Expect(sizes()).To(Equal(map[string]int64{resident.LogName: 1 << 10, resident.LogName + ".1": 2 * resident.MaxLog}))
		write(other, 1) // would begin one, and finds that of the other
		Expect(sizes()).To(Equal(map[string]int64{resident.LogName: 2 << 10, resident.LogName + ".1": 2 * resident.MaxLog}))
	})

	It("goes on in a new file where its own was removed", func() {
		log := open()
		write(log, full)
		Expect(os.Remove(path)).To(Succeed())
		write(log, 1)
		Expect(sizes()).To(Equal(map[string]int64{resident.LogName: 1 << 10}))
	})

	It("is for its user alone", func() {
		open()
		info, err := os.Stat(path)
		Expect(err).NotTo(HaveOccurred())
		Expect(info.Mode()).To(Equal(fs.FileMode(0o600)))
	})
})
