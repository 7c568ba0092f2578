//go:build darwin || linux

package monitor_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

var _ = Describe("A monitor that cannot write", func() {
	var store *monitor.Store

	BeforeEach(func() { store = newStore() })

	// obstruct has every write of the record fail until the way is cleared.
	obstruct := func(r *monitor.Runtime) (clear func()) {
		GinkgoHelper()
		record := r.Path(monitor.RecordFile)
		text, err := os.ReadFile(record)
		Expect(err).NotTo(HaveOccurred())
		Expect(os.Remove(record)).To(Succeed())
		directory(0o700, record, "in the way")
		return func() { GinkgoHelper(); clearWay(record, text) }
	}

	It("the record goes on, and removes the runtime all the same", func() {
		g := newGate()
		runtime := own(store, "build", start("read -r x <&3", through(g)...).Identity)
		lease := hold(runtime)
		w := watched(runtime)
		obstruct(runtime)
		g.open()
		Eventually(w.log).Should(ContainSubstring("the record cannot be written"))
		Expect(lease.Close()).To(Succeed())
		Expect(w.ends()).To(Succeed())
		nothingLeft(store)
	})

	It("the record writes it later", func() {
		g := newGate()
		runtime := own(store, "build", start("read -r x <&3", through(g)...).Identity)
		lease := hold(runtime)
		w := watched(runtime)
		clear := obstruct(runtime)
		g.open()
		Eventually(w.log).Should(ContainSubstring("the record cannot be written"))
		clear()
		Eventually(runtime.Record).Should(And(
			HaveField("State", monitor.StateUnknown), HaveField("Reason", ContainSubstring("holds the lease"))))
		Expect(lease.Close()).To(Succeed())
		Expect(w.ends()).To(Succeed())
		nothingLeft(store)
	})

	It("the record to begin with does not begin", func() {
		runtime := own(store, "build", start("read -r x <&3", through(newGate())...).Identity)
		before, err := runtime.Record()
		Expect(err).NotTo(HaveOccurred())
		Expect(play("cramped", store.Dir(), "build")).To(MatchRegexp(`^runtime "build" cannot be watched: write record: .*file too large`))
		Expect(runtime.Record()).To(Equal(before))
	})

	It("the record of a runtime that had a monitor begins all the same", func() {
		runtime := own(store, "build", start("read -r x <&3", through(newGate())...).Identity)
		watched(runtime).leaves()
		Expect(play("cramped", store.Dir(), "build")).To(Equal("<nil>\n"))
		Expect(runtime.Root()).To(BeADirectory())
	})

	It("all of a line of the journal makes the line good", func() {
		path := filepath.Join(GinkgoT().TempDir(), monitor.JournalFile)
		Expect(os.WriteFile(path, nil, 0o600)).To(Succeed())
		Expect(play("scribe", path)).To(Equal("written in the end\n"))
		text, err := os.ReadFile(path)
		Expect(err).NotTo(HaveOccurred())
		lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
		Expect(lines).To(HaveLen(scribeLines))
		for i, line := range lines {
			Expect(line).To(ContainSubstring(fmt.Sprintf(`"pid":%d,`, i+1)))
		}
	})

	It("all of a line of the log begins the next one on a line of its own", func() {
		runtime := own(store, "build", start("read -r x <&3", through(newGate())...).Identity)
		Expect(play("logger", store.Dir(), "build")).To(Equal("true\n"))
		text, err := os.ReadFile(runtime.Path(monitor.LogFile))
		Expect(err).NotTo(HaveOccurred())
		Expect(string(text)).To(Equal("one\nt\ntwo\nthree\n"))
	})
})

// clearWay puts a record in its place again, which something is in the way of. The monitor may
// write its own as soon as the way is clear, and that one stays.
func clearWay(record string, text []byte) {
	GinkgoHelper()
	Expect(os.RemoveAll(record)).To(Succeed())
	file, err := os.OpenFile(record, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return
	}
	Expect(err).NotTo(HaveOccurred())
	_, err = file.Write(text)
	Expect(errors.Join(err, file.Close())).To(Succeed())
}

// play has the test binary play a role, and returns what that writes.
func play(role string, args ...string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	out, err := exec.Command(self, append([]string{rolePrefix + role}, args...)...).Output()
	return string(out), err
}

// cramp has every file end at a length, until the function that it returns is
// called.
func cramp(length uint64) (release func() error, err error) {
	signal.Ignore(syscall.SIGXFSZ)
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		return nil, err
	}
	before := limit
	limit.Cur = length
	return func() error { return unix.Setrlimit(unix.RLIMIT_FSIZE, &before) }, unix.Setrlimit(unix.RLIMIT_FSIZE, &limit)
}

// playCramped begins to watch a runtime where no file can be written, and writes
// what comes of that: DIR NAME.
func playCramped(args []string) error {
	r, err := runtimeOf(args)
	if err != nil {
		return err
	}
	if _, err := cramp(1); err != nil {
		return err
	}
	t, err := tracker.New(tracker.Options{})
	if err != nil {
		return err
	}
	defer t.Close()
	_, err = r.Attach(context.Background(), t, monitor.Options{})
	fmt.Println(err)
	return nil
}

// playLogger writes lines to the log of a runtime that ends in the middle of the second
// one, and that one again when there is room: DIR NAME.
func playLogger(args []string) error {
	r, err := runtimeOf(args)
	if err != nil {
		return err
	}
	log := r.LogWriter()
	if _, err := io.WriteString(log, "one\n"); err != nil {
		return err
	}
	release, err := cramp(5)
	if err != nil {
		return err
	}
	_, err = io.WriteString(log, "two\n")
	fmt.Println(errors.Is(err, syscall.EFBIG))
	if err := release(); err != nil {
		return err
	}
	_, err = io.WriteString(log, "two\n")
	if err == nil {
		_, err = io.WriteString(log, "three\n")
	}
	return err
}

// scribeLines is how many lines a scribe writes.
const scribeLines = 5

// playScribe writes lines to a journal that ends in the middle of one of them,
// and has no such end any more when all are written: PATH.
func playScribe(args []string) error {
	journal, err := monitor.OpenJournal(args[0])
	if err != nil {
		return err
	}
	release, err := cramp(500)
	if err != nil {
		return err
	}
	failed := 0
	for pid := range scribeLines {
		m := trees.Member{Process: process.Process{Identity: process.Identity{PID: pid + 1}}}
		if journal.Append(trees.Change{Kind: trees.Joined, Member: m}) != nil {
			failed++
		}
	}
	if info, err := os.Stat(args[0]); err != nil || info.Size() != 500 || failed < 2 {
		return fmt.Errorf("a part of a line was to be written: %v, %v, %d failed", info, err, failed)
	}
	if err := errors.Join(release(), journal.Append()); err != nil {
		return err
	}
	fmt.Println("written in the end")
	return nil
}

var _ = Describe("One process", func() {
	It("watches many runtimes with one tracker and one notifier", func() {
		store := newStore()
		t, err := tracker.New(tracker.Options{})
		Expect(err).NotTo(HaveOccurred())
		defer t.Close()
		options := monitor.Options{Releases: &monitor.ReleaseNotifier{}}
		names := []string{"a", "b", "c"}
		ended := make(map[string]chan error)
		gates, leases := make(map[string]*gate), make(map[string]*os.File)
		for _, name := range names {
			gates[name], ended[name] = newGate(), make(chan error, 1)
			runtime := own(store, name, start("read -r x <&3", through(gates[name])...).Identity)
			leases[name] = hold(runtime)
			w, err := runtime.Attach(GinkgoT().Context(), t, options)
			Expect(err).NotTo(HaveOccurred())
			Expect(entries(runtime)).To(ConsistOf(HaveField("Event", trees.Joined)), "the owner is in the journal before it goes on")
			outcome := ended[name]
			go func() { outcome <- w.Run(GinkgoT().Context()) }()
		}
		for _, name := range names {
			gates[name].open()
			Eventually(stateOf).WithArguments(store, name).Should(Equal(monitor.StateUnknown))
		}
		for i, name := range names {
			Expect(store.Names()).To(Equal(names[i:]))
			Expect(leases[name].Close()).To(Succeed())
			Eventually(ended[name]).Should(Receive(BeNil()))
		}
		nothingLeft(store)
	})
})
