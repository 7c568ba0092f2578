package scenarios_test

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

// A resident reads the process table of its own PID namespace, with the clock of its own
// time namespace. What a process elsewhere has recorded of itself does not fit.
var _ = Describe("Beside the resident monitor of a store", Label("linux", "namespaces"), ours, func() {
	DescribeTable("a runtime in namespaces of its own has a monitor of its own there", func(ctx SpecContext, elsewhere ...string) {
		namespace(ctx)
		if result := stage.Run(append(elsewhere, "true")...); result.Status != (harness.Status{}) {
			Skip("no such namespace can be made: " + strings.TrimSpace(result.Stderr))
		}
		c := startCrowd(1)
		pair := expectPair(ctx)
		makeFIFO("gate")
		inside := append(elsewhere[:len(elsewhere):len(elsewhere)], "sh", "-c", `"$@"; exec cat "$0"`, stage.Path("gate"))
		job := stage.Start(append(inside, monitor.Run("inside", "puppet", "inside")...)...)
		leaf := stage.Puppet("inside")
		found, err := gemini.Monitors()
		Expect(err).NotTo(HaveOccurred())
		Expect(found).To(HaveKeyWithValue("crowd-1", pair.Resident))
		Expect(found["inside"]).NotTo(Equal(pair.Resident))
		Expect(gemini.Log("inside")).To(ContainSubstring("the runtime gets a monitor of its own"))
		expectSamePair(ctx, pair)

		passTime(ctx)
		Expect(leaf.Gone()).NotTo(BeClosed())
		Expect(gemini.Path("inside")).To(BeADirectory())
		leaf.Exit(0)
		Eventually(ctx, gemini.Files).Should(ConsistOf(gemini.Path("crowd-1")))
		Expect(openGate(ctx, "gate").Close()).To(Succeed())
		Expect(job.Wait()).To(Equal(harness.Status{}), job.Output())
		c.expectKept(ctx)
		c.leave(ctx, 1)
		expectNoPair(ctx)
	},
		Entry("a container", limit, "unshare", "--pid", "--fork", "--kill-child", "--mount-proc"),
		Entry("a container with users of its own", limit, "unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc"),
		Entry("a time namespace", limit, "unshare", "--time", "--boottime", "100000", "--fork", "--kill-child"),
	)

	It("a runtime in a user namespace lives and ends as elsewhere", func(ctx SpecContext) {
		namespace(ctx)
		own := []string{"unshare", "--user", "--map-root-user"}
		if result := stage.Run(append(own, "true")...); result.Status != (harness.Status{}) {
			Skip("no such namespace can be made: " + strings.TrimSpace(result.Stderr))
		}
		c := startCrowd(1)
		job := stage.Start(append(own, monitor.Run("inside", "puppet", "inside")...)...)
		leaf := stage.Puppet("inside")
		expectKept(ctx, "inside", job.Oracle())
		leaf.Exit(0)
		expectRemoved(ctx, "inside", job.Oracle())
		c.leave(ctx, 1)
		expectNoPair(ctx)
	}, limit)

	It("that lives in a container, a runtime outside has a monitor of its own", func(ctx SpecContext) {
		namespace(ctx)
		makeFIFO("gate")
		inside := append(unshare[:len(unshare):len(unshare)], "sh", "-c", `"$@"; exec cat "$0"`, stage.Path("gate"))
		job := stage.Start(append(inside, monitor.Run("inside", "puppet", "inside")...)...)
		leaf := stage.Puppet("inside")
		outer := stage.Start(monitor.Run("outside", "puppet", "outside")...)
		outside := stage.Puppet("outside")
		Expect(gemini.Log("outside")).To(ContainSubstring("the runtime gets a monitor of its own"))
		outside.Exit(0)
		Eventually(ctx, gemini.Path("outside")).ShouldNot(BeADirectory())
		outer.Wait()
		Expect(leaf.Gone()).NotTo(BeClosed())
		Expect(gemini.Path("inside")).To(BeADirectory())
		leaf.Exit(0)
		Eventually(ctx, gemini.Files).Should(BeEmpty())
		Expect(openGate(ctx, "gate").Close()).To(Succeed())
		Expect(job.Wait()).To(Equal(harness.Status{}), job.Output())
		expectEmptyStore(ctx)
		expectNoPair(ctx)
	}, limit)
})
