package progress

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/reporters"
	"github.com/onsi/ginkgo/v2/types"
	. "github.com/onsi/gomega"
)

func TestProgress(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Progress of specs", Label("pure"))
}

// play has ginkgo's own reporter print a suite of these specs, as ginkgo prints one of
// several suites, and returns what it wrote.
func play(name string, colours bool, specs ...types.SpecReport) string {
	var out bytes.Buffer
	r := reporters.NewDefaultReporter(types.ReporterConfig{Succinct: true, NoColor: !colours}, &out)
	chosen := types.SpecReports(specs)
	left := len(slices.DeleteFunc(slices.Clone(specs), func(s types.SpecReport) bool { return s.Failure.Message != "filtered" }))
	report := types.Report{SuiteDescription: name, SpecReports: chosen, RunTime: 3210 * time.Millisecond,
		SuiteLabels: []string{"pure", "linux"},
		SuiteConfig: types.SuiteConfig{RandomSeed: 1764, ParallelTotal: 4},
		PreRunStats: types.PreRunStats{TotalSpecs: len(specs), SpecsThatWillRun: len(specs) - left}}
	report.SuiteSucceeded = chosen.CountWithState(types.SpecStateFailureStates) == 0
	r.SuiteWillBegin(report)
	for _, spec := range specs {
		r.WillRun(spec)
		r.DidRun(spec)
	}
	r.SuiteDidEnd(report)
	return out.String() + "\n" // of the ginkgo command
}

func spec(state types.SpecState, text, message string) types.SpecReport {
	return types.SpecReport{State: state, LeafNodeType: types.NodeTypeIt, LeafNodeText: text, RunningInParallel: true,
		ParallelProcess: 1, NumAttempts: 1, Failure: types.Failure{Message: message}}
}

func passing(n int) []types.SpecReport {
	return slices.Repeat([]types.SpecReport{spec(types.SpecStatePassed, "passes", "")}, n)
}

// printed returns what a Printer makes of output that comes in pieces of a size.
func printed(output string, size int, live bool) string {
	var out bytes.Buffer
	p := New(&out, live)
	for piece := range slices.Chunk([]byte(output), size) {
		Expect(p.Write(piece)).To(Equal(len(piece)))
	}
	Expect(p.Close()).To(Succeed())
	return out.String()
}

var _ = Describe("The progress of specs", func() {
	It("is a line for each suite that passes", func() {
		specs := append(passing(3), spec(types.SpecStateSkipped, "cannot", "needs root"), spec(types.SpecStateSkipped, "other", "filtered"))
		for _, colours := range []bool{true, false} {
			output := play("A tracker", colours, specs...) + play("An empty one", colours)
			for _, size := range []int{1, 2, 7, len(output)} {
				Expect(strings.Split(printed(output, size, false), "\n")).To(HaveExactElements(
					MatchRegexp(`^ok +3\.2 s  A tracker +3 passed, 1 skipped$`),
					MatchRegexp(`^ok +3\.2 s  An empty one +0 passed$`),
					""))
			}
		}
	})

	It("has failures in full, under the name and the seed of their suite", func() {
		bad := spec(types.SpecStateFailed, "fails", "Expected\nS\n    <int>: 1\n")
		bad.CapturedGinkgoWriterOutput = "SSS\nits own output\n••\n"
		bad.CapturedStdOutErr = "[1] looks like - 1/2 specs \n"
		output := play("A tracker", true, append(append(passing(2), bad), passing(4)...)...)
		_, block, found := strings.Cut(output, "\n")
		Expect(found).To(BeTrue())
		lines := strings.Split(printed(output+play("The next", true, passing(1)...), 5, false), "\n")
		for _, line := range strings.Split(block, "\n") {
			if strings.Trim(colour.ReplaceAllString(line, ""), "•") != "" {
				Expect(lines).To(ContainElement(line))
			}
		}
		Expect(lines).To(ContainElement("A tracker, seed 1764:"))
		Expect(slices.Index(lines, "A tracker, seed 1764:")).To(BeNumerically("<", 3))
		Expect(strings.Join(lines, "\n")).To(And(ContainSubstring("its own output"), ContainSubstring("<int>: 1"),
			ContainSubstring("looks like - 1/2 specs"), ContainSubstring("6 Passed")))
		Expect(lines[len(lines)-2]).To(MatchRegexp(`^ok +3\.2 s  The next +1 passed$`))
	})

	It("goes on after a line that something else has printed", func() {
		output := strings.Replace(play("A tracker", false, passing(5)...), "•", "•\nA warning of something\n\n", 1)
		Expect(strings.Split(printed(output, 4, false), "\n")).To(HaveExactElements(
			"", "A tracker, seed 1764:", "A warning of something", "",
			MatchRegexp(`^ok +3\.2 s  A tracker +5 passed$`), ""))
	})

	It("passes on what belongs to no suite, also without the end of its line", func() {
		output := "Failed to compile tracker:\n\n\x1b[31m./a.go:1\x1b[0m: SSS\n••\nGinkgo ran 2 suites in 3s\nTest Suite Failed"
		Expect(printed(output, 3, false)).To(Equal(output + "\n"))
	})

	It("shows on a terminal how far a suite is, and keeps only the end", func() {
		output := play("A tracker", true, passing(3)...)
		Expect(printed(output, 1, true)).To(And(HavePrefix(erase+"building"), ContainSubstring(erase+"A tracker: 2 of 3"+erase)))
		Expect(screen(printed(output, 1, true))).To(Equal(printed(output, 1, false)))
	})

	It("reports an output that cannot be written", func() {
		p := New(full{}, false)
		_, err := p.Write([]byte("text\n"))
		Expect(err).To(MatchError(io.ErrShortWrite))
		Expect(p.Close()).To(MatchError(io.ErrShortWrite))
	})
})

// full is a writer that has no room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

// screen returns what a terminal shows: what is before a return to the begin of a line that
// also clears it is gone.
func screen(text string) string {
	var lines []string
	for _, line := range strings.Split(text, "\n") {
		lines = append(lines, line[strings.LastIndex("\r"+line, "\r"):])
	}
	return strings.ReplaceAll(strings.Join(lines, "\n"), erase[1:], "")
}

var _ = Describe("A command whose output is condensed", func() {
	run := func(words ...string) (int, string) {
		var out bytes.Buffer
		status := Run(&out, false, []string{"COLOUR=none"}, words)
		return status, out.String()
	}

	It("has its output, errors and environment passed on, and its exit status", func() {
		status, out := run("sh", "-c", `echo "[1] Suite - 2/2 specs •• SUCCESS! 1s"; echo wrong >&2; echo $COLOUR; exit 3`)
		Expect(status).To(Equal(3))
		Expect(out).To(MatchRegexp(`^ok +1\.0 s  Suite +2 passed\nwrong\nnone\n$`))
	})

	It("ends by a signal as a shell reports it", func() {
		status, _ := run("sh", "-c", "kill -KILL $$")
		Expect(status).To(Equal(128 + 9))
	})

	It("is no command where there is none", func() {
		status, out := run("/nowhere/ginkgo")
		Expect(status).To(Equal(notStarted))
		Expect(out).To(ContainSubstring("/nowhere/ginkgo"))
		Expect(errors.Is(New(full{}, false).Close(), io.ErrShortWrite)).To(BeTrue())
	})
})
