//go:build darwin || linux

package monitor_test

import (
	"fmt"
	"os"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
)

var _ = Describe("The processes that hold a lease", func() {
	var runtime *monitor.Runtime

	BeforeEach(func() { runtime = own(newStore(), "build", dead()) })

	// holding starts a process that has a file until the spec ends.
	holding := func(file *os.File) *child {
		return start("read -r x <&3", append(through(newGate()), file)...)
	}
	holders := func(ctx SpecContext) []int {
		GinkgoHelper()
		var found monitor.Holders
		Eventually(ctx, func() (unseen int, err error) {
			if found, err = surveyOf(runtime.Store()).Holders(ctx, runtime); os.Geteuid() == 0 {
				unseen = found.Unseen
			}
			return unseen, err
		}).Should(BeZero(), "the files of another program may change during each look")
		pids := []int{}
		for _, p := range found.Found {
			pids = append(pids, p.PID)
		}
		return pids
	}

	It("are found, but for the caller, the monitor, and those that have ended", func(ctx SpecContext) {
		lease := hold(runtime)
		defer lease.Close()
		first, second, watcher := holding(lease), holding(lease), holding(lease)
		change(runtime, func(r *monitor.Record) { r.Monitor = &watcher.Identity })
		inLsof(os.Getpid(), second.PID, dead().PID, first.PID, watcher.PID)
		Expect(holders(ctx)).To(ConsistOf(first.PID, second.PID))
	})

	It("are none where no process holds it", func(ctx SpecContext) {
		holding(os.Stdin)
		inLsof()
		Expect(holders(ctx)).To(BeEmpty())
	})
})

// inLsof has lsof, where it is asked, name processes.
func inLsof(pids ...int) {
	GinkgoHelper()
	script := "exit 1"
	for i := len(pids) - 1; i >= 0; i-- {
		script = fmt.Sprintf("echo p%d; echo f9; %s", pids[i], script)
	}
	lsofIs(script)
}
