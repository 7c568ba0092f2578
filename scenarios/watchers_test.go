//go:build darwin || linux

package scenarios_test

import (
	"errors"
	"fmt"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

// Who watches is a process as well, if it is one: it can be told to stop, and it
// stands in a group and a session.
var _ = Describe("Whoever watches a runtime", func() {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP} {
		It(fmt.Sprintf("removes nothing when it is sent %s while somebody lives", signalName(signal)), func(ctx SpecContext) {
			job := stage.Start(monitor.Run("told", "puppet", "owner")...)
			owner := stage.Puppet(ctx, "owner")
			for _, pid := range watchers(ctx) {
				// Its helpers come and go, as a poll's sleep does, or go with the first that was told.
				Expect(stage.Signal(pid, signal)).To(Or(Succeed(), MatchError(syscall.ESRCH)))
			}
			expectKept(ctx, "told", job.Oracle())
			Expect(owner.Report(ctx).PID).To(Equal(owner.PID()))
		}, limit)
	}

	It("is reached by no signal that is meant for the command's group or session", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("apart", "puppet", "owner")...)
		owner := stage.Puppet(ctx, "owner").Report(ctx)
		for _, pid := range watchers(ctx) {
			group, err := syscall.Getpgid(pid)
			if errors.Is(err, syscall.ESRCH) {
				continue // a helper that was about to end
			}
			Expect(err).NotTo(HaveOccurred())
			Expect(group).NotTo(Equal(owner.Group), "^C, or killing the group, ends PID %d, which watches: nobody would remove the runtime", pid)
		}
		Expect(job.Oracle().Held()).To(BeTrue())
	}, limit)

	It("still removes it when the whole group of the command was killed at once", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("felled", "puppet", "owner")...)
		owner := stage.Puppet(ctx, "owner")
		owner.Fork(ctx, "child", harness.Start{})
		// XNU says EPERM of a group of the dead. What imitates it may look when the
		// signal has done its work already; the wait below tells whether it has.
		Expect(stage.Signal(-job.PID(), syscall.SIGKILL)).To(Or(Succeed(), MatchError(syscall.EPERM)))
		Expect(job.Wait(ctx)).To(Equal(harness.Status{Signal: syscall.SIGKILL}))
		expectRemoved(ctx, "felled", job.Oracle())
	}, limit)
})

// watchers are the monitor's own processes, and what was not started as a puppet.
func watchers(ctx SpecContext) []int {
	GinkgoHelper()
	pids, err := stage.Strangers(ctx)
	Expect(err).NotTo(HaveOccurred())
	if len(pids) == 0 {
		Skip("no process of the monitor can be seen: it may be a service")
	}
	return pids
}

func signalName(s syscall.Signal) string {
	return map[syscall.Signal]string{syscall.SIGTERM: "a request to terminate", syscall.SIGHUP: "a hang-up"}[s]
}
