//go:build darwin || linux

package monitor_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// aPast is a runtime of a process that ended so many seconds after a time.
func aPast(name string, pid, second int) monitor.Past {
	begin := time.Date(2026, 11, 26, 5, 0, 0, 0, time.UTC)
	return monitor.Past{
		Name: name, How: monitor.CauseEnded, Owner: process.Identity{PID: pid, Start: 7, Boot: "b00t"}, Command: []string{"make", "-j 8"},
		StartedIn: "/src", Created: begin, Ended: begin.Add(time.Duration(second) * time.Second),
	}
}

var _ = Describe("The history of a store", func() {
	var store *monitor.Store

	BeforeEach(func() {
		store = newStore()
		Expect(store.Make()).To(Succeed())
	})

	remember := func(all ...monitor.Past) {
		GinkgoHelper()
		for _, p := range all {
			Expect(store.AddPast(p)).To(Succeed())
		}
	}

	It("is empty at first, and makes no file", func() {
		Expect(store.History()).To(BeEmpty())
		Expect(store.Path(monitor.HistoryFile)).NotTo(BeAnExistingFile())
	})

	It("has a line for each that was removed, in order, for its user alone", func() {
		one, two := aPast("one", 11, 1), aPast("two", 12, 2)
		remember(one, two)
		Expect(store.History()).To(Equal([]monitor.Past{one, two}))
		info, err := os.Stat(store.Path(monitor.HistoryFile))
		Expect(err).NotTo(HaveOccurred())
		Expect(info.Mode()).To(Equal(os.FileMode(0o600)))
		text, err := os.ReadFile(store.Path(monitor.HistoryFile))
		Expect(err).NotTo(HaveOccurred())
		Expect(strings.Split(string(text), "\n")[0]).To(MatchJSON(`{"name":"one","how":"ended","owner":{"pid":11,"start":7,"boot":"b00t"},
			"command":["make","-j 8"],"started_in":"/src","created":"2026-11-26T05:00:00Z","ended":"2026-11-26T05:00:01Z"}`))
	})

	It("finds the last of a name, or that of an owner", func() {
		first, last, other := aPast("build", 11, 1), aPast("build", 12, 2), aPast("web", 13, 3)
		remember(first, last, other)
		Expect(store.Ended("build", process.Identity{})).To(Equal(last))
		Expect(store.Ended("build", first.Owner)).To(Equal(first))
		_, err := store.Ended("build", other.Owner)
		Expect(err).To(MatchError(monitor.ErrNotExist))
		_, err = store.Ended("none", process.Identity{})
		Expect(err).To(MatchError(`runtime "none" does not exist`))
		_, err = store.Ended("a/b", process.Identity{})
		Expect(err).To(MatchError(monitor.ErrBadName))
	})

	It("has why the members were told to end", func() {
		record := monitor.Record{Name: "build", Ending: &monitor.Ending{By: monitor.CauseTimeout}}
		Expect(monitor.PastOf(record, time.Now()).How).To(Equal(monitor.CauseTimeout))
		record.Ending = nil
		Expect(monitor.PastOf(record, time.Now()).How).To(Equal(monitor.CauseEnded))
	})

	It("keeps the beginning of a long command, in whole words", func() {
		word := strings.Repeat("x", monitor.CommandSize/2)
		short := monitor.Record{Command: []string{word, word}}
		Expect(monitor.PastOf(short, time.Now()).Command).To(Equal(short.Command))
		long := monitor.Record{Command: []string{word, word, "y", "z"}}
		Expect(monitor.PastOf(long, time.Now()).Command).To(Equal([]string{word, word, "…"}))
		Expect(monitor.PastOf(monitor.Record{}, time.Now()).Command).To(Equal([]string{}), "an array in JSON too")
	})

	It("goes on in another file when it is full, and drops the earlier one then", func() {
		line, err := json.Marshal(aPast("r00000", 1000, 1000))
		Expect(err).NotTo(HaveOccurred())
		full := monitor.HistorySize/(len(line)+1) + 1 // lines that fill a file
		for n := range 2*full + 10 {
			remember(aPast(fmt.Sprintf("r%05d", n), 1000+n, n))
		}
		all, err := store.History()
		Expect(err).NotTo(HaveOccurred())
		Expect(len(all)).To(And(BeNumerically(">", full), BeNumerically("<=", full+20)), "the earlier file, and a few")
		for i, p := range all {
			Expect(p.Name).To(Equal(fmt.Sprintf("r%05d", 2*full+10-len(all)+i)), "none is missing up to the last")
		}
		info, err := os.Stat(store.Path(monitor.HistoryFile + ".1"))
		Expect(err).NotTo(HaveOccurred())
		Expect(info.Size()).To(BeNumerically("<", monitor.HistorySize+2*len(line)))
	})

	It("lacks nothing of many writers, also when it is full meanwhile", func() {
		pad := strings.Repeat("x", 1000)
		const writers, each = 8, 40 // more than a file has room for, and less than two
		var going sync.WaitGroup
		for w := range writers {
			going.Go(func() {
				defer GinkgoRecover()
				for n := range each {
					p := aPast(fmt.Sprintf("w%d-%d", w, n), 1000+w, n)
					p.Command = []string{pad}
					Expect(store.AddPast(p)).To(Succeed())
				}
			})
		}
		going.Wait()
		Expect(store.Path(monitor.HistoryFile + ".1")).To(BeARegularFile())
		Expect(store.History()).To(HaveLen(writers * each))
	})

	It("passes over what is no line of it, and goes on behind a line that was cut short", func() {
		one, two := aPast("one", 11, 1), aPast("two", 12, 2)
		remember(one)
		half, err := json.Marshal(two)
		Expect(err).NotTo(HaveOccurred())
		add := func(text ...[]byte) {
			GinkgoHelper()
			file, err := os.OpenFile(store.Path(monitor.HistoryFile), os.O_WRONLY|os.O_APPEND, 0)
			Expect(err).NotTo(HaveOccurred())
			_, err = file.Write(bytes.Join(text, nil))
			Expect(err).NotTo(HaveOccurred())
			Expect(file.Close()).To(Succeed())
		}
		add([]byte("\n?\n[]\n{}\nnull\n{\"name\":\"../x\",\"how\":\"ended\"}\n"), []byte{0, 0xff, '\n'}, bytes.Repeat([]byte("x"), 100_000), []byte("\n"), half[:20])
		remember(two)
		Expect(store.History()).To(Equal([]monitor.Past{one, two}))
	})

	It("reads the end of a file that another program has made huge", func() {
		Expect(os.WriteFile(store.Path(monitor.HistoryFile), nil, 0o600)).To(Succeed())
		Expect(os.Truncate(store.Path(monitor.HistoryFile), 1<<40)).To(Succeed()) // it has no blocks
		one := aPast("one", 11, 1)
		remember(one)
		Expect(store.History()).To(Equal([]monitor.Past{one}))
	})

	DescribeTable("is neither read nor written where it is", func(place func(path string)) {
		path := store.Path(monitor.HistoryFile)
		place(path)
		before, err := os.Lstat(path)
		Expect(err).NotTo(HaveOccurred())
		_, err = store.History()
		Expect(err).To(MatchError(HavePrefix("read the history: ")))
		Expect(store.AddPast(aPast("one", 11, 1))).To(MatchError(HavePrefix("write the history: ")))
		now, err := os.Lstat(path)
		Expect(err).NotTo(HaveOccurred())
		Expect(now.Mode()).To(Equal(before.Mode()))
	},
		Entry("a pipe", func(path string) { Expect(unix.Mkfifo(path, 0o600)).To(Succeed()) }),
		Entry("a directory", func(path string) { Expect(os.Mkdir(path, 0o700)).To(Succeed()) }),
		Entry("a link", func(path string) {
			Expect(os.WriteFile(path+".there", nil, 0o600)).To(Succeed())
			Expect(os.Symlink(path+".there", path)).To(Succeed())
		}),
	)
})

var _ = Describe("A monitor", func() {
	var store *monitor.Store

	BeforeEach(func() { store = newStore() })

	It("adds the runtime that it removes to the history", func() {
		g := newGate()
		runtime := own(store, "build", start("read -r x <&3", through(g)...).Identity)
		w := watched(runtime)
		record, err := runtime.Record()
		Expect(err).NotTo(HaveOccurred())
		Expect(store.History()).To(BeEmpty(), "it lives")
		g.open()
		Expect(w.ends()).To(Succeed())
		past, err := store.Ended("build", record.Owner)
		Expect(err).NotTo(HaveOccurred())
		Expect(past.Ended).To(BeTemporally(">=", record.Created))
		past.Ended = time.Time{}
		Expect(past).To(Equal(monitor.Past{
			Name: "build", How: monitor.CauseEnded, Owner: record.Owner, Command: []string{"sh"}, StartedIn: record.Directory, Created: record.Created,
		}))
	})

	It("removes a runtime whose line cannot be written, and reports that once", func() {
		g := newGate()
		runtime := own(store, "build", start("read -r x <&3", through(g)...).Identity)
		Expect(os.Mkdir(store.Path(monitor.HistoryFile), 0o700)).To(Succeed())
		var forgotten []error
		w := watchAs(runtime, monitor.Options{HistoryFailed: func(err error) { forgotten = append(forgotten, err) }})
		Eventually(w.ready).Should(BeClosed())
		g.open()
		Expect(w.ends()).To(Succeed())
		nothingLeft(store)
		Expect(forgotten).To(HaveExactElements(MatchError(ContainSubstring(monitor.HistoryFile))))
	})

	It("logs that, where its caller takes no reports", func() {
		g := newGate()
		runtime := own(store, "build", start("read -r x <&3", through(g)...).Identity)
		Expect(os.Mkdir(store.Path(monitor.HistoryFile), 0o700)).To(Succeed())
		w := watched(runtime)
		g.open()
		Expect(w.ends()).To(Succeed())
		Expect(w.log()).To(ContainSubstring("level=WARN msg=\"the history lacks the runtime\""))
	})

	It("adds nothing for a runtime that was moved away, or is left", func() {
		left := watched(own(store, "left", start("read -r x <&3", through(newGate())...).Identity))
		g := newGate()
		moved := own(store, "moved", start("read -r x <&3", through(g)...).Identity)
		w := watched(moved)
		Expect(os.Rename(moved.Dir(), moved.Dir()+".away")).To(Succeed())
		g.open()
		Expect(w.ends()).To(Succeed())
		left.leaves()
		Expect(store.History()).To(BeEmpty())
	})

	// replaced makes a runtime whose name one has that is over. A slow machine has to try again.
	replaced := func(name string) {
		GinkgoHelper()
		Eventually(func() error {
			_, err := store.Create(mine(name, nil))
			return err
		}).Should(Succeed())
	}

	It("that the next runtime of a name stands in for leaves a line too", func() {
		over := own(store, "build", dead())
		change(over, func(r *monitor.Record) {
			r.State, r.Monitor = monitor.StateRunning, &process.Identity{PID: 1, Start: 1, Boot: self().Boot}
		})
		record, err := over.Record()
		Expect(err).NotTo(HaveOccurred())
		replaced("build")
		Expect(store.Ended("build", record.Owner)).To(HaveField("How", monitor.CauseEnded))
	})

	It("leaves no line of a start that died before its command", func() {
		own(store, "build", dead())
		replaced("build")
		Expect(store.History()).To(BeEmpty())
	})
})
