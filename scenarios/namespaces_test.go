//go:build linux

package scenarios_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

// What containers are made of. A process in a namespace of its own has other
// numbers and other files, and is a descendant like any other.
var _ = Describe("An orphan", Label("linux"), func() {
	It("in a mount namespace of its own keeps the runtime", func(ctx SpecContext) {
		namespace(ctx)
		job := stage.Start(monitor.Run("mounts", "sh", "-c", "unshare --mount puppet leaf &")...)
		leaf := stage.Puppet(ctx, "leaf")
		job.Wait(ctx)
		expectKept(ctx, "mounts", job.Oracle())
		leaf.Exit(ctx, 0)
		expectRemoved(ctx, "mounts", job.Oracle())
	}, limit)

	It("that is the init of a PID namespace keeps the runtime", func(ctx SpecContext) {
		namespace(ctx)
		makeFIFO("gate")
		job := stage.Start(monitor.Run("pids", "sh", "-c", "unshare --pid --fork setsid cat "+stage.Path("gate")+" &")...)
		gate := openGate(ctx, "gate")
		job.Wait(ctx)
		expectKept(ctx, "pids", job.Oracle())
		Expect(gate.Close()).To(Succeed())
		expectRemoved(ctx, "pids", job.Oracle())
	}, limit)
})

var _ = Describe("In a container", Label("linux"), func() {
	It("a runtime lives and ends like anywhere else", func(ctx SpecContext) {
		namespace(ctx)
		makeFIFO("gate")
		// The init of the namespace goes on when the runtime has ended.
		inside := "(setsid cat " + stage.Path("gate") + " &); exit"
		container := append(unshare[:len(unshare):len(unshare)], "sh", "-c", `"$@"; sleep 1000`, "init")
		job := stage.Start(append(container, monitor.Run("contained", "sh", "-c", inside)...)...)
		gate := openGate(ctx, "gate")
		expectKept(ctx, "contained", job.Oracle())
		Expect(gate.Close()).To(Succeed())
		expectRemoved(ctx, "contained", nobody{})
	}, limit)

	It("a runtime whose owner is the init ends with the container, and the next command clears it away", ours, func(ctx SpecContext) {
		namespace(ctx)
		makeFIFO("gate")
		job := stage.Start(append(unshare[:len(unshare):len(unshare)], monitor.Run("init", "cat", stage.Path("gate"))...)...)
		gate := openGate(ctx, "gate")
		expectKept(ctx, "init", job.Oracle())
		Expect(gate.Close()).To(Succeed())
		Expect(job.Wait(ctx)).To(Equal(harness.Status{}))
		// With its init the kernel kills all of a namespace, the monitor as well,
		// and before anybody hears of the init's end.
		Expect(monitor.List(ctx)).To(ConsistOf("init"))
		next := stage.Run(ctx, "monitor", "watch", "init")
		Expect(next.Status).To(Equal(harness.Status{}), next.Stderr)
		expectRemoved(ctx, "init", job.Oracle())
	}, limit)
})
