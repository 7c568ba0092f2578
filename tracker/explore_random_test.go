package tracker

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"github.com/gemini-monitor/gemini/harness/property"
	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("in random orders of the steps of random programs", Label("explore"), func() {
	for _, flavour := range simFlavours {
		It("keeps the promise where forks are "+flavour.String(), func() {
			checks := 20_000
			if raceDetector {
				checks = 50
			}
			Expect(property.Check(checks, func(t *rapid.T) { playRandom(t, flavour) })).To(BeEmpty())
		})
	}
})

// playRandom plays one random schedule of a random case.
func playRandom(t *rapid.T, flavour simFlavour) {
	c := drawCase(t, flavour)
	failure, choices := playCase(c, flavour, func(options int) int { return rapid.IntRange(0, options-1).Draw(t, "choice") })
	if failure != "" {
		t.Fatalf("%s\n=> %s", strings.Join(replay(c, flavour, choices), "\n"), failure)
	}
}

// playCase plays one schedule of a case and returns the choices that were made.
func playCase(c simCase, flavour simFlavour, choose func(options int) int) (failure string, choices []uint8) {
	quiet := 0
	var r *simRun
	r = newSimRun(c, flavour, func(options int, isQuiet bool) (choice int) {
		if isQuiet {
			if quiet++; quiet > 30 {
				r.finish()
			}
		} else {
			choice = choose(options)
		}
		choices = append(choices, uint8(choice))
		return choice
	})
	return r.run(), choices
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
	if flavour.forks == process.ForksNamed {
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
