package explore

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"github.com/gemini-monitor/gemini/internal/property"
	"github.com/gemini-monitor/gemini/internal/simkernel"
	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("in random orders of the steps of random programs", Label("explore"), func() {
	for _, flavour := range simkernel.Flavours {
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
func playRandom(t *rapid.T, flavour simkernel.Flavour) {
	c := drawCase(t, flavour)
	failure, choices := Play(c, flavour, func(options int) int { return rapid.IntRange(0, options-1).Draw(t, "choice") })
	if failure != "" {
		t.Fatalf("%s\n=> %s", strings.Join(Replay(c, flavour, choices), "\n"), failure)
	}
}

func drawCase(t *rapid.T, flavour simkernel.Flavour) Case {
	names := 'B'
	c := Case{
		Name: "random", Hole: true,
		Root:       drawProgram(t, &names, 3),
		Careless:   rapid.Bool().Draw(t, "careless"),
		Leaderless: rapid.Bool().Draw(t, "leaderless"),
		Late:       rapid.Bool().Draw(t, "late"),
		Faults:     rapid.IntRange(0, 2).Draw(t, "faults"),
	}
	for range rapid.IntRange(0, 2).Draw(t, "strangers") {
		c.Strangers = append(c.Strangers, drawProgram(t, &names, 1))
	}
	if flavour.Forks == process.ForksNamed {
		c.Overflow = rapid.SampledFrom([]int{0, 0, 2, 5}).Draw(t, "overflow")
		c.Drops = rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(t, "drops")
		c.Looks = rapid.IntRange(0, 1).Draw(t, "looks")
	}
	return c
}

// drawProgram draws what a process does, and its descendants down to a depth.
func drawProgram(t *rapid.T, names *rune, depth int) (program []simkernel.Op) {
	whats := []simkernel.Verb{simkernel.OpSetsid, simkernel.OpSetpgid, simkernel.OpExec, simkernel.OpClose, simkernel.OpDaemon, simkernel.OpWait, simkernel.OpReap, simkernel.OpSpawnBad, simkernel.OpStay}
	if depth > 0 {
		whats = append(whats, simkernel.OpFork, simkernel.OpFork, simkernel.OpFork, simkernel.OpFork, simkernel.OpForkExit)
	}
	for range rapid.IntRange(0, 4).Draw(t, "length") {
		op := simkernel.Op{Verb: rapid.SampledFrom(whats).Draw(t, "op")}
		if op.Verb == simkernel.OpFork || op.Verb == simkernel.OpForkExit || op.Verb == simkernel.OpSpawnBad {
			op.Name = string(*names)
			*names++
		}
		if op.Verb == simkernel.OpFork || op.Verb == simkernel.OpForkExit {
			op.Child = drawProgram(t, names, depth-1)
		}
		program = append(program, op)
	}
	return program
}
