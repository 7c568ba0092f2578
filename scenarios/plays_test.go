//go:build darwin || linux

package scenarios_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"github.com/gemini-monitor/gemini/harness"
	"github.com/gemini-monitor/gemini/harness/play"
)

// Nobody thinks of every tree. These are made up, by counting or by chance, and
// say the same of each: the runtime is there as long as one process lives.
var _ = Describe("Whatever its processes do", func() {
	for _, p := range trees(4) {
		It(fmt.Sprintf("(%s), and in whichever order they end, the runtime goes with the last", p), Label("slow", "orders"), func(ctx SpecContext) {
			for _, order := range orders(p.Living()) {
				ends := slices.Clone(p)
				for _, who := range order {
					ends = append(ends, play.Act{Who: who, Deed: play.Exits})
				}
				perform(ctx, ends)
			}
		}, timeFor(len(orders(p.Living()))))
	}

	const few = 12
	It("by chance, the runtime goes with the last", func(ctx SpecContext) {
		checkPlays(ctx, few)
	}, timeFor(few))

	It("by chance, very often, the runtime goes with the last", Label("stress"), func(ctx SpecContext) {
		checkPlays(ctx, 300)
	}, SpecTimeout(20*time.Minute))

	DescribeTable("the runtime goes with the last, as once",
		func(ctx SpecContext, text string) {
			p, err := play.Parse(text)
			Expect(err).NotTo(HaveOccurred())
			perform(ctx, p)
		},
		Entry("of a shell, its job and a job of that", "A forks B; B leads a group; B forks C; A exits; B exits; C exits", limit),
		Entry("of a program that starts itself anew", "A forks B; A execs; A forks C; B execs; A exits; B exits; C exits", limit),
		Entry("of a daemon whose maker waits for the middle", "A forks B; B leads a session; B forks C; B exits; A reaps B; C lets go; A exits; C exits", limit),
		Entry("of orphans that make others and let go of everything", "A forks B; B lets go; B forks C; A dies; C leads a session; C forks D; B dies; C exits; D exits", limit),
	)
})

// Who sets GEMINI_PLAY to what a failure says sees it played.
func init() {
	if text := os.Getenv(playVariable); text != "" {
		It("The play of "+playVariable, func(ctx SpecContext) {
			p, err := play.Parse(text)
			Expect(err).NotTo(HaveOccurred())
			perform(ctx, p)
		}, limit)
	}
}

const playVariable = "GEMINI_PLAY"

// timeFor bounds specs of so many plays. Each takes far less, but on a machine
// where many specs run at a time; a minute is for one that fails.
func timeFor(plays int) SpecTimeout {
	return SpecTimeout(time.Minute + time.Duration(plays)*10*time.Second)
}

// checkPlays performs plays made up by chance, other ones with each seed of
// Ginkgo's. The smallest that fails, here and on the simulated kernel, is in
// the failure.
func checkPlays(ctx SpecContext, times int) {
	GinkgoHelper()
	for i := range times {
		p := rapid.Custom(drawPlay).Example(int(GinkgoRandomSeed()) + i)
		failure := failureOf(ctx, p)
		if failure == "" {
			continue
		}
		enough := time.Now().Add(10 * time.Second) // who never removes anything takes long to fail
		p = p.Smallest(func(smaller play.Play) bool {
			if ctx.Err() != nil || time.Now().After(enough) {
				return false
			}
			again := failureOf(ctx, smaller)
			if again == "" || ctx.Err() != nil { // one that was interrupted shows nothing
				return false
			}
			failure = again
			return true
		}).Whole()
		if gemini != nil {
			AddReportEntry("on the simulated kernel", simulate(ctx, p))
		}
		Fail(strings.Join([]string{
			p.String(), failure,
			"play it again:",
			"\t" + harness.Replay(GinkgoT(), playVariable, playVariable+"="+p.String()),
			"keep it, among what happened once:",
			fmt.Sprintf("\tEntry(\"of ...\", %q, limit),", p.String()),
		}, "\n"))
	}
}

// failureOf performs a play, to the end of everybody, and returns what is wrong.
func failureOf(ctx context.Context, p play.Play) string {
	if err := InterceptGomegaFailure(func() { perform(ctx, p.Whole()) }); err != nil {
		return err.Error()
	}
	return ""
}

// simulate tries a play in every order on the tracker's simulated kernel, where
// its source is, and makes it smaller there. It has a time of its own: what is
// known already is still to be said.
func simulate(ctx context.Context, p play.Play) string {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "test", "../tracker", "-count=1", "-ginkgo.no-color", "-ginkgo.v", "-ginkgo.focus", playVariable)
	cmd.Env = append(os.Environ(), playVariable+"="+p.String())
	// go leaves the test that it runs behind when it is killed, and that holds the output open.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	printed, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Sprintf("%s\n%v", printed, err)
	}
	return "keeps the promise: the fault is in what goes around the core, or the simulated kernel lacks something"
}

// drawPlay makes up a play of at most six processes.
func drawPlay(t *rapid.T) play.Play {
	var p play.Play
	for range rapid.IntRange(1, 14).Draw(t, "acts") {
		next := p.Next()
		next = slices.DeleteFunc(next, func(a play.Act) bool {
			last := len(p.Living()) == 1 && a.Ends()
			return last || a.Deed == play.Forks && a.Whom > "F"
		})
		if len(next) == 0 {
			break
		}
		p = append(p, rapid.SampledFrom(next).Draw(t, "act"))
	}
	return p
}

// trees are plays in which A and its descendants are born, so many in all, one
// for each shape.
func trees(size int) []play.Play {
	grown := []play.Play{nil}
	for range size - 1 {
		var larger []play.Play
		for _, p := range grown {
			for _, a := range p.Next() {
				if a.Deed == play.Forks {
					larger = append(larger, append(slices.Clone(p), a))
				}
			}
		}
		grown = larger
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(grown, func(p play.Play) bool {
		shape := shapeOf(p, "A")
		again := seen[shape]
		seen[shape] = true
		return again
	})
}

// shapeOf is the same for trees that differ in the names or the age of siblings.
func shapeOf(p play.Play, root string) string {
	var below []string
	for _, child := range p.Children(root) {
		below = append(below, shapeOf(p, child))
	}
	slices.Sort(below)
	return "(" + strings.Join(below, "") + ")"
}

// orders are all orders of some names.
func orders(names []string) [][]string {
	if len(names) == 0 {
		return [][]string{nil}
	}
	var all [][]string
	for i, first := range names {
		rest := slices.Delete(slices.Clone(names), i, i+1)
		for _, order := range orders(rest) {
			all = append(all, append([]string{first}, order...))
		}
	}
	return all
}
