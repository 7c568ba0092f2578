//go:build darwin || linux

package scenarios_test

import (
	"fmt"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

// Some monitors are two processes for all runtimes, of which each starts the other one
// anew.
var _ = Describe("Where two processes monitor all runtimes", Label("pairs"), func() {
	It("each that is killed is there again, and every runtime lives and ends as before", func(ctx SpecContext) {
		var jobs []*harness.Job
		var owners []*harness.Puppet
		for i := range 3 {
			name := fmt.Sprintf("served-%d", i)
			jobs = append(jobs, stage.Start(monitor.Run(name, "puppet", name)...))
			owners = append(owners, stage.Puppet(name))
		}
		for _, victim := range pairOf(ctx) {
			Expect(stage.Signal(victim, syscall.SIGKILL)).To(Succeed())
			Eventually(ctx, stage.Strangers).Should(And(HaveLen(2), Not(ContainElement(victim))), "one monitor process of two stays")
			if gemini != nil { // the second of the two may be one that is to start the next resident, and fails alone
				expectPair(ctx)
			}
		}
		for i, job := range jobs {
			expectKept(ctx, fmt.Sprintf("served-%d", i), job.Oracle())
		}
		for i, job := range jobs {
			owners[i].Exit(0)
			expectRemoved(ctx, fmt.Sprintf("served-%d", i), job.Oracle())
		}
	}, limit)
})

// pairOf returns the PIDs of the two processes of the monitor. It skips the spec for a
// monitor of another number of processes.
func pairOf(ctx SpecContext) []int {
	GinkgoHelper()
	if gemini != nil {
		Eventually(ctx, stage.Strangers).Should(HaveLen(2)) // its guard is there a moment later
	}
	pids := watchers(ctx)
	if len(pids) != 2 {
		Skip(fmt.Sprintf("the monitor of three runtimes is not two processes but %d", len(pids)))
	}
	return pids
}
