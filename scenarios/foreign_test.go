//go:build darwin || linux

package scenarios_test

import (
	_ "embed"
	"os"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

//go:embed example/pipe-monitor.sh
var pipeMonitor []byte

var _ = Describe("Somebody else's monitor, the example", ours, func() {
	BeforeEach(func() {
		path := stage.Path("pipe-monitor")
		Expect(os.WriteFile(path, pipeMonitor, 0o755)).To(Succeed())
		monitor, gemini = stage.Foreign(path), nil
	})

	It("is driven through its adapter: there while somebody lives, gone when nobody does", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("foreign", "puppet", "owner")...)
		owner := stage.Puppet(ctx, "owner")
		leaf := owner.Fork(ctx, "leaf", harness.Start{OwnSession: true})
		owner.Exit(ctx, 7)
		Expect(job.Wait(ctx)).To(Equal(harness.Status{Code: 7}))
		expectKept(ctx, "foreign", job.Oracle())
		leaf.Exit(ctx, 0)
		expectRemoved(ctx, "foreign", job.Oracle())
		expectEmptyStore(ctx)
	}, limit)

	It("starts a shell at a terminal", func(ctx SpecContext) {
		sh := stage.AtTerminal(ctx, harness.Sh, monitor.Shell("window")...)
		sh.Prompt(ctx)
		expectKept(ctx, "window", sh.Oracle())
		sh.Exit(ctx)
		expectRemoved(ctx, "window", sh.Oracle())
	}, limit)

	It("is a lease alone, and the oracle sees it lose who closes what it inherited", func(ctx SpecContext) {
		stage.Start(monitor.Run("lost", "puppet", "owner")...)
		owner := stage.Puppet(ctx, "owner")
		owner.CloseInherited(ctx)
		Eventually(ctx, monitor.List).Should(BeEmpty())
		Expect(witnessOf(owner).Held()).To(BeTrue(), "it has ended: the spec proves nothing")
		owner.Exit(ctx, 0)
	}, limit)
})
