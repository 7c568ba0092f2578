//go:build darwin || linux

package monitor_test

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("A start", func() {
	var store *monitor.Store
	var release func()

	BeforeEach(func() { store, release = atHome() })

	// begin starts a process that becomes a command under a monitor with a conduct, and
	// returns when the monitor has begun.
	begin := func(conduct, patience string, words ...string) *child {
		GinkgoHelper()
		program, err := os.Executable()
		Expect(err).NotTo(HaveOccurred())
		cmd := exec.Command(program, append([]string{rolePrefix + "starter", conduct, patience, store.Dir(), "build"}, words...)...)
		cmd.Stderr = GinkgoWriter
		Expect(cmd.Start()).To(Succeed())
		DeferCleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
		row, err := process.Lookup(cmd.Process.Pid)
		Expect(err).NotTo(HaveOccurred())
		Eventually(monitorsOf).WithArguments(store).Should(HaveLen(2))
		return &child{row.Identity, cmd}
	}

	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT} {
		DescribeTable(fmt.Sprintf("that is told to end by signal %d undoes what it did", signal), func(conduct string) {
			starter := begin(conduct, "1m", noCommand)
			Expect(syscall.Kill(starter.PID, signal)).To(Succeed())
			starter.wait()
			Expect(starter.cmd.ProcessState.ExitCode()).To(Equal(1), "it was not killed: the role returns the error")
			release()
			Eventually(monitorsOf).WithArguments(store).Should(HaveEach(false))
			nothingLeft(store)
		},
			Entry("while its monitor begins", stuck),
			Entry("while its monitor has not reported yet", late),
			Entry("while the process that is to start its monitor hangs", neverBorn),
		)
	}

	It("that is killed while its monitor begins leaves the clean-up to the monitor", func() {
		starter := begin(late, "1m", noCommand)
		starter.kill()
		release()
		Eventually(store.Names).Should(BeEmpty())
		Eventually(contents).WithArguments(store.Trash()).Should(BeEmpty())
	})

	It("that is stopped for longer than its patience goes on afterwards", func() {
		starter := begin(late, "6s", "/bin/sh", "-c", "exit 7") // two programs begin before it is stopped
		Expect(syscall.Kill(starter.PID, syscall.SIGSTOP)).To(Succeed())
		Eventually(stopwatch()).Should(BeNumerically(">", 6.2), "seconds")
		Expect(syscall.Kill(starter.PID, syscall.SIGCONT)).To(Succeed())
		release()
		starter.wait()
		Expect(starter.cmd.ProcessState.ExitCode()).To(Equal(7))
		Eventually(store.Names).Should(BeEmpty())
	})
})

// stopwatch returns a function that returns the seconds since.
func stopwatch() func() float64 {
	begun := time.Now()
	return func() float64 { return time.Since(begun).Seconds() }
}
