//go:build darwin || linux

package scenarios_test

import (
	"fmt"
	"os"
	"sort"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

var _ = Describe("At a limit of the system", ours, func() {
	It("arguments that are too long with the variables of a runtime are refused, and nothing stays", Label("native"), func(ctx SpecContext) {
		if os.Getenv("HARNESS_EXEC") != "" {
			Skip("the program that runs the monitor has longer arguments than the command will have")
		}
		// The longest arguments that reach the monitor: it reports an unknown flag.
		longest := sort.Search(8<<20, func(size int) bool {
			return !strings.Contains(runWith(ctx, "--nome", size).Stderr, "nome")
		}) - 1
		Expect(longest).To(BeNumerically(">", 1<<10))
		result := runWith(ctx, "--name", longest)
		Expect(result.Status.Code).To(BeElementOf(125, 126), result.Stderr)
		Expect(result.Stderr).To(MatchRegexp(`^monitor: .*(?i:too long).*\n$`))
		expectEmptyStore(ctx)
	}, limit)

	It("too few descriptors are a reason not to start, and nothing stays", Label("native"), func(ctx SpecContext) {
		if os.Getenv("HARNESS_EXEC") != "" {
			Skip("the program that runs the monitor needs descriptors as well")
		}
		started, refused := 0, 0
		for few := 3; few < 32; few++ { // with fewer, Go's runtime does not reach main
			result := stage.Run("sh", "-c", fmt.Sprintf("ulimit -n %d && exec monitor run -- echo started", few))
			if result.Status == (harness.Status{}) {
				Expect(result.Stdout).To(Equal("started\n"))
				expectEmptyStore(ctx)
				started++
				continue
			}
			Expect(result.Status).To(Equal(harness.Status{Code: 125}), "with %d descriptors: %s", few, result.Stderr)
			Expect(result.Stderr).To(MatchRegexp(`^monitor: [^\n]*\n$`))
			Expect(result.Stdout).To(BeEmpty())
			Expect(monitor.List(ctx)).To(BeEmpty(), "with %d descriptors: %s", few, result.Stderr)
			refused++
		}
		Expect(refused).NotTo(BeZero(), "the fewest are too few")
		Expect(started).NotTo(BeZero(), "the most are enough")
		expectEmptyStore(ctx)
	}, limit)
})

// runWith runs true with a number of bytes of arguments.
func runWith(ctx SpecContext, flag string, size int) harness.Result {
	const piece = 100_000 // Linux takes no argument of more than 128 KiB
	argv := []string{"monitor", "run", flag, "long", "--", "true"}
	for ; size > 0; size -= piece {
		argv = append(argv, strings.Repeat("x", min(size, piece)))
	}
	result, _ := stage.TryRun(argv...) // an error of the start leaves standard error empty
	return result
}
