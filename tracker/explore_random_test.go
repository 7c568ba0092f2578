package tracker

import (
	"flag"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"pgregory.net/rapid"
)

var _ = Describe("in random orders of the steps of random programs", Label("explore"), func() {
	for _, flavour := range simFlavours {
		It("keeps the promise where forks are "+flavour.String(), func() {
			checks := "20000"
			if raceDetector {
				checks = "50"
			}
			Expect(flag.Set("rapid.checks", checks)).To(Succeed())
			Expect(flag.Set("rapid.nofailfile", "true")).To(Succeed())
			var t rapidRecorder
			rapid.Check(&t, func(t *rapid.T) { playRandom(t, flavour) })
			Expect(t.failed).To(BeFalse(), t.text.String())
		})
	}
})

// playRandom plays one random schedule of a random case.
func playRandom(t *rapid.T, flavour simFlavour) {
	c := drawCase(t, flavour)
	quiet := 0
	var r *simRun
	r = newSimRun(c, flavour, func(options int, isQuiet bool) int {
		if isQuiet {
			if quiet++; quiet > 30 {
				r.finish()
			}
			return 0
		}
		return rapid.IntRange(0, options-1).Draw(t, "choice")
	})
	var story []string
	r.kernel.story = func(format string, args ...any) { story = append(story, fmt.Sprintf(format, args...)) }
	if failure := r.run(); failure != "" {
		t.Fatalf("%s\n=> %s", strings.Join(story, "\n"), failure)
	}
}

func drawCase(t *rapid.T, flavour simFlavour) simCase {
	names := 'B'
	c := simCase{
		name: "random", hole: true,
		root:       drawProgram(t, &names, 3),
		careless:   rapid.Bool().Draw(t, "careless"),
		leaderless: rapid.Bool().Draw(t, "leaderless"),
		late:       rapid.Bool().Draw(t, "late"),
		faults:     rapid.IntRange(0, 2).Draw(t, "faults"),
	}
	for range rapid.IntRange(0, 2).Draw(t, "strangers") {
		c.strangers = append(c.strangers, drawProgram(t, &names, 1))
	}
	if flavour.forks == ForksNamed {
		c.overflow = rapid.SampledFrom([]int{0, 0, 2, 5}).Draw(t, "overflow")
	}
	return c
}

// drawProgram draws what a process does, and its descendants down to a depth.
func drawProgram(t *rapid.T, names *rune, depth int) (program []simOp) {
	whats := []simWhat{opSetsid, opSetpgid, opExec, opClose, opDaemon, opWait, opReap, opSpawnBad, opStay}
	if depth > 0 {
		whats = append(whats, opFork, opFork, opFork, opFork, opForkExit)
	}
	for range rapid.IntRange(0, 4).Draw(t, "length") {
		op := simOp{what: rapid.SampledFrom(whats).Draw(t, "op")}
		if op.what == opFork || op.what == opForkExit || op.what == opSpawnBad {
			op.name = string(*names)
			*names++
		}
		if op.what == opFork || op.what == opForkExit {
			op.child = drawProgram(t, names, depth-1)
		}
		program = append(program, op)
	}
	return program
}

// A rapidRecorder is what rapid reports to. Ginkgo's own ends a spec at the
// first failure, before rapid has told what the smallest example is.
type rapidRecorder struct {
	failed bool
	text   strings.Builder
}

func (r *rapidRecorder) Helper()                           {}
func (r *rapidRecorder) Name() string                      { return "explore" }
func (r *rapidRecorder) Logf(format string, args ...any)   { fmt.Fprintf(&r.text, format+"\n", args...) }
func (r *rapidRecorder) Log(args ...any)                   { fmt.Fprintln(&r.text, args...) }
func (r *rapidRecorder) Skipf(format string, args ...any)  { r.Logf(format, args...) }
func (r *rapidRecorder) Skip(args ...any)                  { r.Log(args...) }
func (r *rapidRecorder) SkipNow()                          {}
func (r *rapidRecorder) Errorf(format string, args ...any) { r.failed = true; r.Logf(format, args...) }
func (r *rapidRecorder) Error(args ...any)                 { r.failed = true; r.Log(args...) }
func (r *rapidRecorder) Fatalf(format string, args ...any) { r.Errorf(format, args...) }
func (r *rapidRecorder) Fatal(args ...any)                 { r.Error(args...) }
func (r *rapidRecorder) FailNow()                          { r.failed = true }
func (r *rapidRecorder) Fail()                             { r.failed = true }
func (r *rapidRecorder) Failed() bool                      { return r.failed }
