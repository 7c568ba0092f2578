package scenarios_test

import (
	"os"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

var _ = Describe("monitor stop", Label("linux"), ours, func() {
	It("names a member of another user, which it leaves", Label("root"), func(ctx SpecContext) {
		if os.Geteuid() != 0 {
			Skip("only root can start a program as another user")
		}
		place, err := os.MkdirTemp("", "user-")
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func() { // the last monitor may still write its log
			Eventually(os.RemoveAll).WithArguments(place).Should(Succeed())
		})
		makeFIFO("gate")
		// become, a copy of setpriv that is root's, makes its child wholly root's.
		const script = `cp "$(command -v monitor)" "$0/monitor" && cp "$(command -v setpriv)" "$0/become" && cp "$(command -v cat)" "$0/cat" &&
			chmod 755 "$0" "$0/monitor" "$0/cat" && chmod 4755 "$0/become" && exec 9<"$1" && mkdir "$0/store" && chown 23459 "$0/store" && cd / || exit 9
			exec setpriv --reuid 23459 --clear-groups env HOME="$0" MONITOR_STORE="$0/store" "$0/monitor" run --name mixed -- \
				sh -c '"$0/become" --reuid 0 --regid 0 --clear-groups "$0/cat" <&9 9<&- & exec 9<&-; wait' "$0"`
		job := stage.Start("sh", "-c", script, place, stage.Path("gate"))
		gate := openGate(ctx, "gate")
		as := func(words ...string) harness.Result {
			return stage.Run(append([]string{"setpriv", "--reuid", "23459", "--clear-groups", "env", "-C", "/", "MONITOR_STORE=" + place + "/store", place + "/monitor"}, words...)...)
		}
		Eventually(ctx, func() string { return as("tree", "mixed").Stdout }).Should(MatchRegexp(`\d+ \S+/cat \(`))
		result := as("stop", "mixed", "--grace", "0")
		Expect(result.Status).To(Equal(harness.Status{Code: 1}))
		Expect(result.Stderr).To(MatchRegexp(`^monitor: runtime "mixed" is not stopped: \d+ cat \(root\): it cannot be signalled: operation not permitted\n$`))
		// The members are ended in one goroutine of the monitor, and the record is written in another.
		Eventually(ctx, func() string { return as("list").Stdout }).Should(MatchRegexp(`mixed +stopping`))
		Expect(gate.Close()).To(Succeed())
		Expect(job.Wait().Signal).NotTo(BeZero())
		Eventually(ctx, func() string { return as("list", "-q").Stdout }).Should(BeEmpty())
	}, limit)
})
