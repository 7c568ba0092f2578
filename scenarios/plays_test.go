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

// These trees are made by counting or by chance. The property is the same for each: the
// runtime exists as long as one process lives.
var _ = Describe("Whatever its processes do", func() {
	for _, p := range trees(4) {
		orders := endings(p)
		if emulated {
			orders = everyFourth(orders)
		}
		It(fmt.Sprintf("(%s), and in whichever order they end, the runtime goes with the last", p), Label("slow", "orders"), func(ctx SpecContext) {
			for _, order := range orders {
				ends := slices.Clone(p)
				for _, name := range order {
					ends = append(ends, play.Act{Who: name, Deed: play.Exits})
				}
				perform(ctx, ends)
			}
		}, timeFor(len(orders)))
	}

	const few = 12
	It("by chance, the runtime goes with the last", func(ctx SpecContext) {
		checkPlays(ctx, few)
	}, timeFor(few))

	It("by chance, very often, the runtime goes with the last", Label("stress"), func(ctx SpecContext) {
		checkPlays(ctx, 300)
	}, SpecTimeout(20*time.Minute))

	DescribeTable("the runtime goes with the last, in plays that failed once",
		func(ctx SpecContext, text string) {
			p, err := play.Parse(text)
			Expect(err).NotTo(HaveOccurred())
			perform(ctx, p)
		},
		Entry("of a shell, its job and a child of the job", "A forks B; B leads a group; B forks C; A exits; B exits; C exits", limit),
		Entry("of a program that execs itself", "A forks B; A execs; A forks C; B execs; A exits; B exits; C exits", limit),
		Entry("of a daemon whose grandparent waits for its parent", "A forks B; B leads a session; B forks C; B exits; A reaps B; C lets go; A exits; C exits", limit),
		Entry("of orphans that fork and close all they inherited", "A forks B; B lets go; B forks C; A dies; C leads a session; C forks D; B dies; C exits; D exits", limit),
	)
})

// GEMINI_PLAY, with the play of a failure, adds a spec that performs it.
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

// emulated means that the programs run below another one (HARNESS_EXEC): each start of a
// process takes ten times as long there.
var emulated = os.Getenv("HARNESS_EXEC") != ""

// everyFourth returns every fourth order, the first included.
func everyFourth(all [][]string) (some [][]string) {
	for i := 0; i < len(all); i += 4 {
		some = append(some, all[i])
	}
	return some
}

// timeFor bounds a spec of a number of plays: 10 s for each, and a minute for one that
// fails.
func timeFor(plays int) SpecTimeout {
	return SpecTimeout(time.Minute + time.Duration(plays)*10*time.Second)
}

// checkPlays performs random plays, which Ginkgo's seed determines. A failure has the
// smallest play that fails, and what the simulated kernel makes of it.
func checkPlays(ctx SpecContext, times int) {
	GinkgoHelper()
	for i := range times {
		p := rapid.Custom(drawPlay).Example(int(GinkgoRandomSeed()) + i)
		failure := failureOf(ctx, p)
		if failure == "" {
			continue
		}
		enough := time.Now().Add(10 * time.Second) // with a monitor that never removes a runtime, each try takes long
		p = p.Smallest(func(smaller play.Play) bool {
			if ctx.Err() != nil || time.Now().After(enough) {
				return false
			}
			again := failureOf(ctx, smaller)
			if again == "" || ctx.Err() != nil { // an interrupted play shows nothing
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
			"keep it, among the plays that failed once:",
			fmt.Sprintf("\tEntry(\"of ...\", %q, limit),", p.String()),
		}, "\n"))
	}
}

// failureOf performs a play, with an exit for each process, and returns the failure or
// "".
func failureOf(ctx context.Context, p play.Play) string {
	if err := InterceptGomegaFailure(func() { perform(ctx, p.Whole()) }); err != nil {
		return err.Error()
	}
	return ""
}

// simulate runs a play in every order on the tracker's simulated kernel, and returns the
// output. It has a time limit of its own, so that the failure is reported in any case.
func simulate(ctx context.Context, p play.Play) string {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "test", "./explore", "-count=1", "-ginkgo.no-color", "-ginkgo.v", "-ginkgo.focus", playVariable)
	cmd.Env = append(os.Environ(), playVariable+"="+p.String())
	// A killed go leaves its test behind, which holds the output open.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	printed, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Sprintf("%s\n%v", printed, err)
	}
	if !strings.Contains(string(printed), "the promise is kept") {
		return fmt.Sprintf("%s\nthe simulated kernel did not try the play", printed)
	}
	return "the tracker is right on the simulated kernel: the fault is outside of its core, or the simulation is incomplete"
}

// drawPlay draws a play of at most six processes.
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

// trees returns the plays that fork a tree of size processes, one for each shape.
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

// shapeOf returns the shape of a tree. It is equal for trees that differ in the names or
// the order of siblings only.
func shapeOf(p play.Play, root string) string {
	return shapeWith(p, root, func(string) string { return "" })
}

// shapeWith returns the shape of a tree with a mark at each process.
func shapeWith(p play.Play, root string, mark func(name string) string) string {
	var below []string
	for _, child := range p.Children(root) {
		below = append(below, shapeWith(p, child, mark))
	}
	slices.Sort(below)
	return "(" + mark(root) + strings.Join(below, "") + ")"
}

// endings returns the orders in which the processes of a play can end, one of those that
// differ in the order of siblings with equal descendants only.
func endings(p play.Play) [][]string {
	seen := map[string]bool{}
	return slices.DeleteFunc(orders(p.Living()), func(order []string) bool {
		shape := shapeWith(p, "A", func(name string) string { return fmt.Sprint(slices.Index(order, name)) })
		again := seen[shape]
		seen[shape] = true
		return again
	})
}

// orders returns all permutations of names.
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
