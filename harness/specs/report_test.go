//go:build darwin || linux

package specs_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

// A namedT is a quietT with a name, so that it gets a report.
type namedT struct {
	quietT
	report string
}

func (t *namedT) Name() string                { return "A story's end (it's told)" }
func (t *namedT) RandomSeed() int64           { return 42 }
func (t *namedT) Logf(f string, a ...any)     { t.report += fmt.Sprintf(f, a...) }
func (t *namedT) files(pattern string) []byte { return readOne(os.Getenv("HARNESS_REPORTS"), pattern) }

func readOne(dir, pattern string) []byte {
	GinkgoHelper()
	found, err := filepath.Glob(filepath.Join(dir, "*", pattern))
	Expect(err).NotTo(HaveOccurred())
	Expect(found).To(HaveLen(1))
	text, err := os.ReadFile(found[0])
	Expect(err).NotTo(HaveOccurred())
	return text
}

var _ = Describe("The report of a failed spec", Ordered, func() {
	var (
		t    *namedT
		leaf int
	)

	// All specs read the report of one failure.
	BeforeAll(func(ctx SpecContext) {
		GinkgoT().Setenv("HARNESS_REPORTS", GinkgoT().TempDir())
		t = &namedT{}
		t.run(func() {
			stage := harness.New(t, small)
			leaf = story(ctx, stage)
			t.Errorf("the story ends badly")
		})
	}, NodeTimeout(time.Minute))

	It("has input, output, orders, answers and the events of observers in order of time", func() {
		Expect(t.report).To(MatchRegexp(strings.Join([]string{
			`sh-0 \d+ +started: /bin/sh -i`,
			`> echo one; echo two`,
			`< one`,
			`sh-0 \d+ +its terminal gets 30 rows of 100 columns`,
			`job-0 \d+ +started: sh -c puppet root; :`,
			`root \d+ +greets: parent \d+, group \d+, session \d+, start \d+`,
			`root \d+ +is ordered to fork leaf \(own session\): child \d+`,
			`leaf \d+ +greets: parent`,
			`root \d+ +is ordered to exit 3`,
			`job-0 \d+ +ended: exit 0`,
			`monitor of x +\d+ joined leaf`,
			`leaf \d+ +is ordered to report: parent is now`,
			`spec +runs sh -c echo out; exit 4: exit 4 "out"`,
			`spec +sends SIGCONT to \d+`,
			`oracle of job-0 +asked: a process holds descriptor 3`,
			`spec +FAILED`,
		}, `(.*\n)+?.*`)))
		Expect(t.report).To(MatchRegexp(`root \d+ +has gone`), "before or after its parent: two goroutines record the two ends")
	})

	It("counts equal events", func() {
		Expect(t.report).To(MatchRegexp(`asked: a process holds descriptor 3 \(5 times, until \d+\.\d{3}\)`))
	})

	It("has one line for processes that only one observer knows", func() {
		Expect(t.report).To(ContainSubstring("3 came and went, from 777777701 to 777777703"))
	})

	It("shows which processes live at that moment, and which ones an observer takes for alive", func() {
		Expect(t.report).To(MatchRegexp(`(?m)^ *%d +[RS].*parent .*group %[1]d .*session %[1]d .*puppet leaf +<- .*leaf`, leaf))
		Expect(t.report).To(ContainSubstring("999999999 does not exist, but is alive for monitor of x"))
		Expect(t.report).To(ContainSubstring("oracles: does a process of the tree hold its descriptor 3?\n"))
		Expect(t.report).To(MatchRegexp(`(?m)^  job-0 +a process holds descriptor 3`))
	})

	It("has the machine, and the command that repeats the spec", func() {
		Expect(t.report).To(MatchRegexp(`--ginkgo.focus='A story'\\''s end \\\(it'\\''s told\\\)\$' --ginkgo.seed=42`))
		Expect(t.report).To(MatchRegexp(`machine .*\d+ cores, go1`))
		Expect(t.report).To(MatchRegexp(`load .*\d`))
		Expect(string(t.files("report.txt"))).To(ContainSubstring("is ordered to exit 3"))
	})

	It("has every terminal as an asciicast", func() {
		lines := strings.Split(strings.TrimSpace(string(t.files("sh-0.cast"))), "\n")
		var header struct{ Version, Width, Height int }
		Expect(json.Unmarshal([]byte(lines[0]), &header)).To(Succeed())
		Expect(header.Version).To(Equal(2))
		Expect(header.Width).To(Equal(80))
		screen, sizes := "", []string{}
		for _, line := range lines[1:] {
			var passage []any
			Expect(json.Unmarshal([]byte(line), &passage)).To(Succeed())
			Expect(passage).To(HaveExactElements(BeNumerically(">=", 0), BeElementOf("i", "o", "r"), BeAssignableToTypeOf("")))
			if passage[1] == "r" {
				sizes = append(sizes, passage[2].(string))
			} else {
				screen += passage[2].(string)
			}
		}
		Expect(sizes).To(Equal([]string{"100x30"}))
		Expect(screen).To(ContainSubstring("one\r\ntwo\r\n"))
	})

	It("has a trace that Perfetto opens", func() { checkTrace(t.files("trace.json"), leaf) })
})

// story makes one event of each kind, and returns the PID of the process that lives on.
func story(ctx SpecContext, stage *harness.Stage) int {
	sh := stage.Shell(harness.Sh)
	sh.Run("echo one; echo two")
	sh.Resize(30, 100)
	job := stage.Start("sh", "-c", "puppet root; :")
	root := stage.Puppet("root")
	leaf := root.Fork("leaf", harness.OwnSession)
	root.Exit(3)
	job.Wait()
	Eventually(ctx, root.Gone()).Should(BeClosed()) // the report has that
	now := time.Now()
	stage.Observe(harness.Observer{Events: func() []harness.Event {
		events := []harness.Event{
			{Time: now, PID: leaf.PID(), Track: "monitor of x", What: "joined leaf", Life: harness.Begins},
			{Time: now, PID: 999999999, Track: "monitor of x", What: "joined nobody", Life: harness.Begins},
		}
		for pid := 777777701; pid <= 777777703; pid++ {
			events = append(events,
				harness.Event{Time: now, PID: pid, Track: "monitor of x", What: "joined", Life: harness.Begins},
				harness.Event{Time: now, PID: pid, Track: "monitor of x", What: "left", Life: harness.Ends})
		}
		return events
	}})
	leaf.Report()
	stage.Run("sh", "-c", "echo out; exit 4")
	Expect(stage.Signal(leaf.PID(), syscall.SIGCONT)).To(Succeed())
	for range 5 {
		job.Oracle().Held()
	}
	return leaf.PID()
}

var _ = Describe("The report of a stage without a shell", func() {
	It("explains what it has, and nothing else", func() {
		_, report := failing(func(stage *harness.Stage) {
			stage.Terminal("sh", "-c", `printf 'a\033[1mb'`).ExpectExit(0)
			stage.Start("true").ExpectExit(0)
			// As if the end of a command were not reported yet.
			stage.Observe(harness.Observer{Events: func() []harness.Event {
				return []harness.Event{{Time: time.Now(), PID: 999999999, Track: "job-0", What: "began", Life: harness.Begins}}
			}})
			stage.Start("no-such-program-of-a-spec")
		})
		Expect(report).To(ContainSubstring("> input, < output, without escape sequences: NAME.txt has those of a terminal)"))
		Expect(report).NotTo(ContainSubstring("the prompt"))
		Expect(report).NotTo(ContainSubstring("does not exist"))
	})
})

var _ = Describe("A spec that leaves something behind", func() {
	It("has a report as well", func(ctx SpecContext) {
		GinkgoT().Setenv("HARNESS_REPORTS", GinkgoT().TempDir())
		t := &namedT{}
		message := t.run(func() {
			stage := harness.New(t, small, hurry)
			stage.Run("sh", "-c", `: >"$TMPDIR/log"; tail -f "$TMPDIR/log" </dev/null >/dev/null 2>&1 &`)
		})
		Expect(message).To(ContainSubstring("tail -f"))
		Expect(t.report).To(MatchRegexp("runs sh -c .*tail -f"))
	}, SpecTimeout(time.Minute))
})

// An askedT is a T with a progress report.
type askedT struct {
	quietT
	ask func() string
}

func (t *askedT) AttachProgressReporter(ask func() string) func() {
	t.ask = ask
	return func() { t.ask = nil }
}

var _ = Describe("A spec that takes long", func() {
	It("has a progress report, which shows an order without an answer", func(ctx SpecContext) {
		t := &askedT{}
		progress := ""
		t.run(func() {
			stage := harness.New(t, small)
			job := stage.Start("puppet", "root")
			root := stage.Puppet("root")
			root.Stop()
			var asking sync.WaitGroup
			asking.Go(func() { root.Report() })
			Eventually(ctx, t.ask).Should(ContainSubstring("is ordered to report: NO ANSWER YET"))
			progress = t.ask()
			root.Continue()
			asking.Wait()
			Expect(t.ask()).NotTo(ContainSubstring("NO ANSWER"))
			job.Signal(syscall.SIGKILL)
		})
		Expect(progress).To(MatchRegexp(`root \d+ +is ordered to raise SIGSTOP`))
		Expect(t.ask).To(BeNil())
	}, SpecTimeout(time.Minute))

	It("comes once, also when the test has asked for one before", func() {
		message, report := failing(func(stage *harness.Stage) {
			stage.Start("puppet", "first")
			stage.Puppet("first")
			stage.Report()
			stage.Start("no-such-program-of-a-spec")
		})
		Expect(message).To(ContainSubstring("no-such-program-of-a-spec"))
		Expect(strings.Count(report, "processes now")).To(Equal(1))
		Expect(report).To(ContainSubstring("puppet first"))
	})
})
