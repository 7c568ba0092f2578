//go:build darwin || linux

package scenarios_test

import (
	"errors"
	"fmt"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/harness"
)

// A monitor process gets signals, and is in a group and a session, as any other.
var _ = Describe("The process that monitors a runtime", func() {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP} {
		It(fmt.Sprintf("removes nothing at %s while a process lives", signalName(signal)), func(ctx SpecContext) {
			job := stage.Start(monitor.Run("signalled", "puppet", "owner")...)
			owner := stage.Puppet("owner")
			signalled := 0
			for _, pid := range watchers(ctx) {
				err := stage.Signal(pid, signal)
				if errors.Is(err, syscall.ESRCH) {
					continue // a child of the monitor, such as the sleep of a polling script, that has ended
				}
				Expect(err).NotTo(HaveOccurred())
				signalled++
			}
			Expect(signalled).NotTo(BeZero())
			expectKept(ctx, "signalled", job.Oracle())
			Expect(owner.Report().PID).To(Equal(owner.PID()))
		}, limit)
	}

	It("is reached by no signal that is meant for the command's group or session", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("apart", "puppet", "owner")...)
		owner := stage.Puppet("owner").Report()
		checked := 0
		for _, pid := range watchers(ctx) {
			group, groupErr := unix.Getpgid(pid)
			session, sessionErr := unix.Getsid(pid)
			if errors.Is(groupErr, syscall.ESRCH) || errors.Is(sessionErr, syscall.ESRCH) {
				continue // a child of the monitor that has ended
			}
			Expect(errors.Join(groupErr, sessionErr)).NotTo(HaveOccurred())
			Expect(group).NotTo(Equal(owner.Group), "PID %d monitors the runtime and is in the process group of its command: ^C would end both", pid)
			Expect(session).NotTo(Equal(owner.Session), "PID %d monitors the runtime and is in the session of its command: a hang-up of the terminal would end both", pid)
			checked++
		}
		Expect(checked).NotTo(BeZero())
		Expect(job.Oracle().Held()).To(BeTrue())
	}, limit)

	It("removes the runtime when the process group of the command was killed", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("felled", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		owner.Fork("child")
		// kill of a group of zombies returns EPERM on XNU. An emulator of macOS may check
		// for that after it has sent the signal. The Wait below checks that it was sent.
		Expect(stage.Signal(-job.PID(), syscall.SIGKILL)).To(Or(Succeed(), MatchError(syscall.EPERM)))
		Expect(job.Wait()).To(Equal(harness.Status{Signal: syscall.SIGKILL}))
		expectRemoved(ctx, "felled", job.Oracle())
	}, limit)
})

// watchers returns the PIDs of the processes of the stage that are not puppets: those of
// the monitor.
func watchers(ctx SpecContext) []int {
	GinkgoHelper()
	if gemini != nil {
		Eventually(ctx, func() (paired bool, err error) {
			residents, guards, err := gemini.Processes()
			return len(residents) == len(guards), err
		}).Should(BeTrue(), "the guard of a resident begins later")
	}
	pids, err := stage.Strangers()
	Expect(err).NotTo(HaveOccurred())
	if len(pids) == 0 {
		Skip("no process of the monitor was found: it may be a service")
	}
	return pids
}

func signalName(s syscall.Signal) string {
	return map[syscall.Signal]string{syscall.SIGTERM: "a request to terminate", syscall.SIGHUP: "a hang-up"}[s]
}
