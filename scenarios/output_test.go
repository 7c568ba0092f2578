//go:build darwin || linux

package scenarios_test

import (
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

var _ = Describe("On a terminal", ours, func() {
	const long = "a-name-of-sixty-characters-which-is-near-the-limit-of-names1"

	// shown returns the lines that a command prints on a terminal, without its line ends.
	shown := func(words ...string) []string {
		GinkgoHelper()
		t := stage.Terminal(words...)
		Expect(t.Wait()).To(Equal(harness.Status{}))
		text := strings.ReplaceAll(t.Output(), "\r\n", "\n")
		Expect(text).NotTo(ContainSubstring("\x1b"), "a colour, or another control sequence")
		return strings.Split(strings.TrimRight(text, "\n"), "\n")
	}

	for _, columns := range []int{80, 200} {
		DescribeTable("of "+strconv.Itoa(columns)+" columns each line fits, and has no colour", func(ctx SpecContext, words ...string) {
			words = append([]string{"monitor"}, words...)
			stage.TerminalSize(24, columns)
			wide := strings.Repeat("漢字の長い引数", 20)
			stage.Start(monitor.Run(long, "sh", "-c", "puppet owner; :", wide)...)
			owner := stage.Puppet("owner")
			stage.Start(monitor.Run("short", "puppet", "other")...)
			stage.Puppet("other").Fork("child")
			for _, line := range shown(words...) {
				Expect(width(line)).To(BeNumerically("<=", columns), line)
			}
			Expect(stage.Run(words...).Stdout).NotTo(ContainSubstring("\x1b"))
			owner.Exit(0)
			stop("--all")
			expectEmptyStore(ctx)
		},
			Entry("list", limit, "list"),
			Entry("list --all", limit, "list", "--all"),
			Entry("tree", limit, "tree", long),
			Entry("why, of a long name", limit, "why", long),
			Entry("why, of a child", limit, "why", "short"),
		)
	}

	It("a list keeps the beginning of each command, also beside a long name", func(ctx SpecContext) {
		stage.TerminalSize(24, 80)
		job := stage.Start(monitor.Run(long, "puppet", "owner")...)
		owner := stage.Puppet("owner")
		Expect(shown("monitor", "list")).To(ContainElement(MatchRegexp(`^a-name-\S+…of-names1 .*  puppet owner$`)))
		Expect(shown("monitor", "list", "--wide")).To(ContainElement(HavePrefix(long + "  ")))
		owner.Exit(0)
		expectRemoved(ctx, long, job.Oracle())
	}, limit)
})

// width returns how many columns of a terminal a line takes, for the letters that are used here.
func width(line string) (n int) {
	for _, c := range line {
		n++
		if c >= 0x3040 && c <= 0x9fff {
			n++
		}
	}
	return n
}
