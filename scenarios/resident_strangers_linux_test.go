package scenarios_test

import (
	"os"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("Whatever strangers send to the resident monitor", Label("linux"), ours, func() {
	It("another user's command is refused before", Label("root"), func(ctx SpecContext) {
		if os.Geteuid() != 0 {
			Skip("only root can start a program as another user")
		}
		c := startCrowd(1)
		pair := expectPair(ctx)
		place, err := os.MkdirTemp("", "user-")
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(os.RemoveAll, place)
		const script = `cp "$(command -v monitor)" "$0/monitor" && chmod 755 "$0" "$0/monitor" && cd / || exit 9
			exec setpriv --reuid 23459 --clear-groups "$0/monitor" --store "$@"`
		for _, words := range [][]string{{"run", "--", "true"}, {"list"}} {
			result := stage.Run(append([]string{"sh", "-c", script, place, gemini.Store}, words...)...)
			Expect(result.Status.Code).To(BeElementOf(1, 125), result.Stderr)
			Expect(result.Stderr).To(MatchRegexp(`^monitor: [^\n]*(permission denied|belongs to)[^\n]*\n$`))
		}
		expectSamePair(ctx, pair)
		c.leave(ctx, 1)
		expectNoPair(ctx)
	}, limit)
})
