package monitor_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// aRecord returns a record with every field set.
func aRecord() monitor.Record {
	return monitor.Record{
		Version: 1, Name: "build", State: monitor.StateUnknown, Reason: "no memory",
		Owner:   process.Identity{PID: 4711, Start: 12345, Boot: "this one"},
		Monitor: &process.Identity{PID: 4712, Start: 12346, Boot: "this one"},
		Command: []string{"make", "-j8", "", "two\nlines", "\xff"}, StartedIn: "/src", User: 501, Host: "box",
		Created: time.Date(2026, 1, 2, 3, 4, 5, 678901234, time.UTC),
	}
}

var _ = Describe("A record", func() {
	var dir string

	BeforeEach(func() { dir = GinkgoT().TempDir() })

	It("is read as it was written", func() {
		written := aRecord()
		written.Command = written.Command[:4] // what is not UTF-8 cannot be kept by JSON
		Expect(written.Write(dir)).To(Succeed())
		Expect(monitor.ReadRecord(dir)).To(Equal(written))
		written.Monitor, written.Reason, written.State = nil, "", monitor.StateStarting
		Expect(written.Write(dir)).To(Succeed())
		Expect(monitor.ReadRecord(dir)).To(Equal(written))
	})

	It("has the documented form", func() {
		record := aRecord()
		record.Command = []string{"make"}
		Expect(record.Write(dir)).To(Succeed())
		text, err := os.ReadFile(filepath.Join(dir, monitor.RecordFile))
		Expect(err).NotTo(HaveOccurred())
		Expect(string(text)).To(Equal(`{
  "version": 1,
  "name": "build",
  "state": "unknown",
  "reason": "no memory",
  "owner": {
    "pid": 4711,
    "start": 12345,
    "boot": "this one"
  },
  "monitor": {
    "pid": 4712,
    "start": 12346,
    "boot": "this one"
  },
  "command": [
    "make"
  ],
  "started_in": "/src",
  "user": 501,
  "host": "box",
  "created": "2026-01-02T03:04:05.678901234Z"
}
`))
	})

	It("of an earlier build is read, which called the place where the command was started its directory", func() {
		record := aRecord()
		record.Command = []string{"make"}
		Expect(record.Write(dir)).To(Succeed())
		path := filepath.Join(dir, monitor.RecordFile)
		text, err := os.ReadFile(path)
		Expect(err).NotTo(HaveOccurred())
		earlier := strings.Replace(string(text), `"started_in"`, `"directory"`, 1)
		Expect(earlier).NotTo(Equal(string(text)))
		Expect(os.WriteFile(path, []byte(earlier), 0o600)).To(Succeed())
		Expect(monitor.ReadRecord(dir)).To(Equal(record))
	})

	It("is for its user alone", func() {
		Expect(aRecord().Write(dir)).To(Succeed())
		info, err := os.Stat(filepath.Join(dir, monitor.RecordFile))
		Expect(err).NotTo(HaveOccurred())
		Expect(info.Mode().Perm() & 0o077).To(BeZero())
	})

	It("is replaced in one step: a reader never sees half of it", func() {
		long, short := aRecord(), aRecord()
		long.Command, short.Command = []string{strings.Repeat("long ", 10_000)}, []string{"short"}
		Expect(long.Write(dir)).To(Succeed())
		const enough, atMost = 50, 100_000
		var reader sync.WaitGroup
		var both atomic.Bool // were seen
		stop := make(chan struct{})
		seen := make(map[int]int)
		reader.Go(func() {
			defer both.Store(true) // a reader that has failed is not waited for
			defer GinkgoRecover()
			for {
				record, err := monitor.ReadRecord(dir)
				Expect(err).NotTo(HaveOccurred())
				seen[len(record.Command[0])]++
				both.Store(len(seen) > 1)
				select {
				case <-stop:
					return
				default:
				}
			}
		})
		for i := 0; i < enough || !both.Load() && i < atMost; i++ {
			Expect(short.Write(dir)).To(Succeed())
			Expect(long.Write(dir)).To(Succeed())
		}
		close(stop)
		reader.Wait()
		Expect(seen).To(HaveLen(2), "both were seen, and nothing else: %v", seen)
		Expect(contents(dir)).To(Equal([]string{monitor.RecordFile}), "nothing is left of writing")
	})

	It("that cannot be put in place leaves the old one and nothing else", func() {
		blocked := filepath.Join(dir, monitor.RecordFile)
		Expect(os.MkdirAll(filepath.Join(blocked, "in the way"), 0o700)).To(Succeed())
		Expect(aRecord().Write(dir)).To(MatchError(HavePrefix("write record: ")))
		Expect(contents(dir)).To(Equal([]string{monitor.RecordFile}))
		Expect(contents(blocked)).To(Equal([]string{"in the way"}))
	})

	It("cannot be written where the runtime is gone", func() {
		Expect(aRecord().Write(filepath.Join(dir, "gone"))).To(MatchError(os.ErrNotExist))
		_, err := monitor.ReadRecord(filepath.Join(dir, "gone"))
		Expect(err).To(MatchError(monitor.ErrNotExist))
	})

	DescribeTable("is broken, with the reason, and is never guessed at", func(text, wrong string) {
		path := filepath.Join(dir, monitor.RecordFile)
		Expect(os.WriteFile(path, []byte(text), 0o600)).To(Succeed())
		_, err := monitor.ReadRecord(dir)
		Expect(err).To(MatchError(monitor.ErrBroken))
		Expect(err).To(MatchError(ContainSubstring(wrong)))
		Expect(os.ReadFile(path)).To(Equal([]byte(text)), "reading changes nothing")
	},
		Entry("when it is empty", "", "unexpected end"),
		Entry("when it is torn", `{"version":1,"name":"build","own`, "unexpected end"),
		Entry("when it is no JSON", "build 4711\n", "invalid character"),
		Entry("when it is zeros, as after a crash of the machine", strings.Repeat("\x00", 100), "invalid character"),
		Entry("when two were written over each other", `{"version":1,"name":"build","owner":{"pid":4711}}}`, "after top-level value"),
		Entry("when it is no object", `[1]`, "cannot unmarshal"),
		Entry("when a field is of another kind", `{"version":1,"name":"build","owner":4711}`, "cannot unmarshal"),
		Entry("when it has no version", `{"name":"build","owner":{"pid":4711}}`, "version 0 is neither 1 nor 2"),
		Entry("when it is from a later program", `{"version":3,"name":"build","owner":{"pid":4711}}`, "version 3 is neither 1 nor 2"),
		Entry("when it has no name", `{"version":1,"owner":{"pid":4711}}`, "no name or no owner"),
		Entry("when it has no owner", `{"version":1,"name":"build"}`, "no name or no owner"),
		Entry("when its owner is no process", `{"version":1,"name":"build","owner":{"pid":-1}}`, "no name or no owner"),
	)

	It("is broken where it is missing, or no file", func() {
		_, err := monitor.ReadRecord(dir)
		Expect(err).To(MatchError(monitor.ErrBroken))
		Expect(os.Mkdir(filepath.Join(dir, monitor.RecordFile), 0o700)).To(Succeed())
		_, err = monitor.ReadRecord(dir)
		Expect(err).To(MatchError(monitor.ErrBroken))
	})

	It("may have fields that this program does not know", func() {
		text := `{"version":1,"name":"build","state":"running","owner":{"pid":4711},"since":"later"}`
		Expect(os.WriteFile(filepath.Join(dir, monitor.RecordFile), []byte(text), 0o600)).To(Succeed())
		record, err := monitor.ReadRecord(dir)
		Expect(err).NotTo(HaveOccurred())
		Expect(record.Owner.PID).To(Equal(4711))
	})
})

var _ = Describe("A state", func() {
	It("is a word that no other contains, so that grep finds the right one", func() {
		words := []monitor.State{monitor.StateStarting, monitor.StateRunning, monitor.StateUnmonitored, monitor.StateStopping, monitor.StateUnknown, monitor.StateBroken}
		for _, a := range words {
			for _, b := range words {
				Expect(a == b || !strings.Contains(string(a), string(b))).To(BeTrue(), "%s in %s", b, a)
			}
		}
	})
})
