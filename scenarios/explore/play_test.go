package explore_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness/play"
	"github.com/gemini-monitor/gemini/internal/explore"
	"github.com/gemini-monitor/gemini/internal/simkernel"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// Scenarios play what processes do in one order, on real processes. Here the
// same play is tried in every order, and made as small as it can be.
var _ = Describe("a play of the scenarios", Label("explore"), func() {
	// A process that has closed all and leads a session is the documented hole
	// where the kernel does not name the child of a fork: with the hole forbidden, it
	// is a defect of the tracker's that has to be found.
	const daemon = "A forks B; A forks C; C exits; A reaps C; B forks D; D leads a session; D lets go; B exits; A exits; D exits"
	announced, named := simkernel.Flavours[0], simkernel.Flavours[0]
	for _, flavour := range simkernel.Flavours {
		if flavour.Forks == process.ForksNamed {
			named = flavour
		}
	}

	It("that fails in some order is reduced to what matters", func() {
		Expect(announced).To(Equal(simkernel.Flavour{Forks: process.ForksAnnounced}))
		p, err := play.Parse(daemon)
		Expect(err).NotTo(HaveOccurred())
		Expect(tryPlay(p, announced, false).Failure).To(ContainSubstring("found empty while"))
		smallest := p.Smallest(func(p play.Play) bool { return tryPlayAtRandom(p, announced, false).Failure != "" })
		Expect(smallest.String()).To(Equal("A forks B; B forks C; C leads a session; C lets go; B exits; A exits"))
	})

	It("that fails in no order keeps the promise", func() {
		p, err := play.Parse("A forks B; B leads a session; B lets go; A exits; B exits")
		Expect(err).NotTo(HaveOccurred())
		report := tryPlay(p, named, false)
		Expect(report.Failure).To(BeEmpty())
		Expect(report.States).To(BeNumerically(">", 0))
	})
})

// GEMINI_PLAY, set to a play, has that tried in every order, for every kernel.
func init() {
	text := os.Getenv("GEMINI_PLAY")
	if text == "" {
		return
	}
	for _, flavour := range simkernel.Flavours {
		It("the play of GEMINI_PLAY, in every order, where forks are "+flavour.String(), Label("explore"), func() {
			p, err := play.Parse(text)
			Expect(err).NotTo(HaveOccurred())
			report := tryPlay(p, flavour, true)
			if report.Failure == "" {
				AddReportEntry("explored", fmt.Sprintf("the promise is kept: %s (all: %v), the documented hole in %d of the states",
					report, !report.TooLarge, report.Holes))
				return
			}
			p = p.Smallest(func(p play.Play) bool { return tryPlayAtRandom(p, flavour, true).Failure != "" })
			report = tryPlay(p, flavour, true)
			Fail(fmt.Sprintf("%s\n=> %s\nthe smallest play that shows it, as a scenario:\n\tEntry(%q, %q, limit),",
				strings.Join(report.Story, "\n"), report.Failure, report.Failure, p.String()))
		})
	}
}

// tryPlay plays it in many random orders, and then in every one, unless they are
// too many.
func tryPlay(p play.Play, flavour simkernel.Flavour, hole bool) explore.Findings {
	if report := tryPlayAtRandom(p, flavour, hole); report.Failure != "" {
		return report
	}
	report := explore.EveryOrder(caseOf(p, hole), flavour)
	if report.TooLarge {
		report.Failure, report.Story = "", nil
	}
	return report
}

// tryPlayAtRandom gives the same answer each time. The tracker, whose steps come
// first among the choices, is fast for a while and then slow for a while: a steady
// one is either there in time or comes when all are dead.
func tryPlayAtRandom(p play.Play, flavour simkernel.Flavour, hole bool) explore.Findings {
	c := caseOf(p, hole)
	for seed := range uint64(3000) {
		order, fast := rand.New(rand.NewPCG(seed, 0)), false
		failure, choices := explore.Play(c, flavour, func(options int) int {
			if order.IntN(50) == 0 {
				fast = !fast
			}
			if options == 1 || fast != (order.IntN(20) == 0) {
				return 0
			}
			return 1 + order.IntN(options-1)
		})
		if failure != "" {
			return explore.Findings{Failure: failure, Story: explore.Replay(c, flavour, choices)}
		}
	}
	return explore.Findings{}
}

func caseOf(p play.Play, hole bool) explore.Case {
	return explore.Case{Name: p.String(), Root: programOf(p, "A"), Hole: hole}
}

// programOf returns what a process does in a play, with the programs of the children
// that it forks. Reaps becomes OpWait, which reaps any child: the name of a child is
// not kept, and the order in which children are reaped may be another.
func programOf(p play.Play, who string) (program []simkernel.Op) {
	ops := map[play.Deed]simkernel.Verb{
		play.Reaps: simkernel.OpWait, play.LeadsGroup: simkernel.OpSetpgid, play.LeadsSession: simkernel.OpSetsid,
		play.Execs: simkernel.OpExec, play.LetsGo: simkernel.OpClose, play.Scrubs: simkernel.OpScrub, play.Forges: simkernel.OpForge,
	}
	for _, a := range p {
		switch {
		case a.Who != who:
		case a.Deed == play.Forks:
			program = append(program, simkernel.Fork(a.Whom, programOf(p, a.Whom)...))
		case a.Ends():
			return program
		default:
			program = append(program, simkernel.Do(ops[a.Deed]))
		}
	}
	return append(program, simkernel.Stay)
}
