//go:build darwin || linux

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// A stream is a command that prints events.
type stream struct {
	*exec.Cmd
	lines  *bufio.Reader
	pipe   io.Closer
	stderr bytes.Buffer
}

// streams starts the command events. It ends with the spec at the latest.
func streams(args ...string) *stream {
	GinkgoHelper()
	s := &stream{Cmd: command(append([]string{"events"}, args...)...)}
	out, err := s.StdoutPipe()
	Expect(err).NotTo(HaveOccurred())
	s.Stderr = &s.stderr
	Expect(s.Start()).To(Succeed())
	DeferCleanup(func() {
		_ = s.Process.Kill()
		_ = s.Wait()
	})
	Expect(out.(*os.File).SetReadDeadline(time.Now().Add(time.Minute))).To(Succeed())
	s.lines, s.pipe = bufio.NewReader(out), out
	return s
}

// next returns the next line without its time.
func (s *stream) next() string {
	GinkgoHelper()
	line, err := s.lines.ReadString('\n')
	Expect(err).NotTo(HaveOccurred(), line)
	_, rest, found := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
	Expect(found).To(BeTrue(), line)
	return rest
}

var _ = Describe("The command events", func() {
	It("prints what happens to a runtime until it is gone", func() {
		r, release := mortalOrphan("build")
		serve := command("serve", "build")
		Expect(serve.Start()).To(Succeed())
		DeferCleanup(func() { _ = serve.Process.Kill() })
		Eventually(r.Record).Should(HaveField("Monitor.PID", serve.Process.Pid))
		s := streams("build", "--since", "1h")
		Expect(s.next()).To(Equal("build state starting: sh"))
		Expect(s.next()).To(MatchRegexp(`^build unwatched since `))
		Expect(s.next()).To(Equal("build state running"))
		Expect(s.next()).To(MatchRegexp(`^build joined \d+ sh, known from before$|^build joined \d+ sh, the command$`))
		release()
		Expect(s.next()).To(MatchRegexp(`^build left \d+ sh$`))
		Expect(s.next()).To(Equal("build emptied"))
		Expect(s.next()).To(Equal("build removed"))
		Expect(io.ReadAll(s.lines)).To(BeEmpty())
		Expect(s.Wait()).To(Succeed())
		Expect(s.stderr.String()).To(BeEmpty())
		Expect(serve.Wait()).To(Succeed())
	})

	It("prints what a runtime that was removed has left, if that is asked for", func() {
		past := aPast("build", monitor.CauseStop)
		remembered(past)
		Expect(call("events", "build")).To(fails(exitGone, `^runtime "build" was removed at 2026-01-02T03:04:05\S*, after a stop$`))
		got := call("events", "build", "--since", "2026-01-01")
		Expect(got.Code).To(BeZero(), got.Stderr)
		at := func(t time.Time) string { return t.Local().Format(eventTime) }
		Expect(got.Stdout).To(Equal(fmt.Sprintf("%[1]s build state starting: make '-j 8'\n"+
			"%[2]s build gap since %[1]s: its journal went with it before it could be read\n"+
			"%[2]s build removed, after a stop\n", at(past.Created), at(past.Ended))))
		got = call("events", "build", "--since", "2026-01-01", "--json")
		lines := strings.Split(got.Stdout, "\n")
		owner := `"owner":{"pid":10,"start":10,"boot":"b00t"},"command":["make","-j 8"]`
		created, ended := past.Created.Format(time.RFC3339), past.Ended.Format(time.RFC3339)
		Expect(lines).To(HaveExactElements(
			MatchJSON(fmt.Sprintf(`{"time":%q,"name":"build","event":"state","state":"starting",%s}`, created, owner)),
			MatchJSON(fmt.Sprintf(`{"time":%q,"name":"build","event":"gap","since":%q,"reason":"its journal went with it before it could be read"}`, ended, created)),
			MatchJSON(fmt.Sprintf(`{"time":%q,"name":"build","event":"removed",%s,"how":"stop"}`, ended, owner)),
			BeEmpty(),
		))
	})

	It("fails where there is no such runtime, and where it is broken", func() {
		Expect(call("events", "none")).To(fails(exitNo, `^runtime "none" does not exist$`))
		Expect(call("events", "a/b")).To(fails(exitUsage, "name"))
		broken := create("build")
		Expect(os.WriteFile(filepath.Join(broken.Dir(), "runtime.json"), []byte("?"), 0o600)).To(Succeed())
		Expect(call("events", "build")).To(fails(exitNo, `^runtime "build" has a broken record: `))
	})

	It("ends quietly by a signal, and when its reader has gone", func() {
		create("build")
		for _, end := range []struct {
			how func(*stream) error
			by  syscall.Signal
		}{
			{func(s *stream) error { return s.Process.Signal(syscall.SIGINT) }, syscall.SIGINT},
			{func(s *stream) error { return s.Process.Signal(syscall.SIGQUIT) }, syscall.SIGQUIT},
			{func(s *stream) error { return s.pipe.Close() }, syscall.SIGPIPE},
		} {
			s := streams("--since", "1h")
			Expect(s.next()).To(HavePrefix("build state starting"))
			Expect(end.how(s)).To(Succeed())
			Expect(s.Wait()).NotTo(Succeed())
			Expect(s.ProcessState.Sys().(syscall.WaitStatus).Signal()).To(Equal(end.by))
			Expect(s.stderr.String()).To(BeEmpty())
		}
	})

	It("ends where its output is full", Label("linux"), func() {
		create("build")
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		Expect(err).NotTo(HaveOccurred())
		defer full.Close()
		Expect(startWith(full, "events", "--since", "1h")).To(Equal(outcome{"", "monitor: write /dev/stdout: no space left on device\n", exitNo}))
	})

	It("holds up none where its reader stalls, and goes on where it reads again", func() {
		r := create("build")
		s := streams("--since", "1h")
		Expect(s.next()).To(HavePrefix("build state starting"))
		const pipeHolds = 64 << 10 // on Linux, and at most as much on macOS
		const line = len("2026-01-02T03:04:05.006Z build emptied")
		journal, err := os.OpenFile(filepath.Join(r.Dir(), "journal.jsonl"), os.O_WRONLY|os.O_APPEND, 0)
		Expect(err).NotTo(HaveOccurred())
		defer journal.Close()
		const many = 4 * pipeHolds / line
		for n := range many {
			Expect(json.NewEncoder(journal).Encode(monitor.JournalEntry{Time: time.Now(), Event: trees.Emptied, Reason: fmt.Sprint(n)})).To(Succeed())
		}
		for n := range many {
			Expect(s.next()).To(Equal(fmt.Sprintf("build emptied: %d", n)))
		}
	})
})

var _ = It("An event is printed as words", func() {
	joined := func(pid int, command string, link ...trees.Link) monitor.Event {
		return monitor.Event{Kind: monitor.EventJoined, Member: new(member(pid, 10, command, link...))}
	}
	for _, c := range []struct {
		event    monitor.Event
		expected string
	}{
		{monitor.Event{Kind: monitor.EventState, State: monitor.StateStarting, Command: []string{"make", "-j 8"}}, "state starting: make '-j 8'"},
		{monitor.Event{Kind: monitor.EventState, State: monitor.StateRunning}, "state running"},
		{monitor.Event{Kind: monitor.EventState, State: monitor.StateUnknown, Reason: "no\nmemory"}, `state unknown: no\nmemory`},
		{joined(11, "cc"), "joined 11 cc, child of 10"},
		{joined(10, "make", theRoot), "joined 10 make, the command"},
		{joined(11, ""), "joined 11, child of 10"}, // it had ended before its name was read
		{monitor.Event{Kind: monitor.EventLeft, Member: new(member(11, 10, "cc"))}, "left 11 cc"},
		{monitor.Event{Kind: monitor.EventRemoved, How: monitor.CauseEnded}, "removed"},
		{monitor.Event{Kind: monitor.EventRemoved, How: monitor.CauseTimeout}, "removed, after its time-out"},
		{monitor.Event{Kind: monitor.EventRemoved}, "removed"}, // by hand
		{monitor.Event{Kind: "new\x1b", Reason: "why"}, `new\033: why`},
		{monitor.Event{Kind: monitor.EventUnwatched, Since: new(time.Time)}, "unwatched"},
	} {
		e := c.event
		e.Name, e.Time = "build", time.Date(2026, 1, 2, 3, 4, 5, 6789000, time.Local)
		var out bytes.Buffer
		Expect(printEvent(&out, e)).To(Succeed())
		Expect(out.String()).To(MatchRegexp(`^2026-01-02T03:04:05\.006\S* build .*\n$`))
		Expect(eventWords(e)).To(Equal(c.expected))
	}
})

var _ = Describe("The time of --since", func() {
	now := time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)

	DescribeTable("is", func(text string, expected time.Time) {
		Expect(parseSince(text, now)).To(BeTemporally("==", expected))
	},
		Entry("a time", "2026-01-02T14:00:00Z", now.Add(-64*time.Minute-5*time.Second)),
		Entry("a time of another zone", "2026-01-02T15:00:00+01:00", now.Add(-64*time.Minute-5*time.Second)),
		Entry("a local time", "2026-01-01 14:00:00", time.Date(2026, 1, 1, 14, 0, 0, 0, time.Local)),
		Entry("a local time as RFC 3339 has it", "2026-01-01T14:00:00", time.Date(2026, 1, 1, 14, 0, 0, 0, time.Local)),
		Entry("a day", "2026-01-01", time.Date(2026, 1, 1, 0, 0, 0, 0, time.Local)),
		Entry("so long ago", "10m", now.Add(-10*time.Minute)),
		Entry("so many seconds ago", "90", now.Add(-90*time.Second)),
	)

	DescribeTable("is not", func(text, reason string) {
		_, err := parseSince(text, now)
		Expect(err).To(MatchError(MatchRegexp(reason)))
		Expect(call("events", "--since", text)).To(fails(exitUsage, "^--since: "))
	},
		Entry("a word", "yesterday", `^"yesterday" is no time such as 2026-01-02T15:04:05Z, nor a time span such as 90, 10m or 2h$`),
		Entry("less than nothing", "-10m", `^"-10m" is no time`),
		Entry("to come", "9999-01-01T00:00:00Z", `^9999-01-01T00:00:00Z is still to come$`),
	)

	It("is now where none is given", func() {
		Expect(parseSince("", now)).To(BeZero())
	})
})
