//go:build darwin || linux

package main

import (
	"encoding/json"
	"os"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
)

var _ = Describe("The command run", func() {
	It("leaves output and exit status to the command", func() {
		Expect(start("run", "--", "sh", "-c", "echo out; echo err >&2; exit 7")).To(Equal(outcome{"out\n", "err\n", 7}))
		Eventually(store().Names).Should(BeEmpty())
	})

	It("is killed by the signal that kills the command", func() {
		cmd := command("run", "--", "sh", "-c", "kill -TERM $$")
		Expect(cmd.Run()).NotTo(Succeed())
		Expect(cmd.ProcessState.Sys().(syscall.WaitStatus).Signal()).To(Equal(syscall.SIGTERM))
		Eventually(store().Names).Should(BeEmpty())
	})

	It("leaves the command's flags to the command", func() {
		Expect(start("run", "--name", "n", "printf", "%s", "--name")).To(HaveField("Stdout", "--name"))
		Eventually(store().Names).Should(BeEmpty())
	})

	It("puts the command into a runtime that info inside finds", func() {
		self, err := os.Executable()
		Expect(err).NotTo(HaveOccurred())
		got := start("run", "--name", "build", "--", self, asMonitor, "info", "--json")
		var status monitor.Status
		Expect(json.Unmarshal([]byte(got.Stdout), &status)).To(Succeed(), "%+v", got)
		Expect(status.Name).To(Equal("build"))
		Expect(status.State).To(Equal(monitor.StateRunning))
		Expect(status.Command).To(Equal([]string{self, asMonitor, "info", "--json"}))
		Eventually(store().Names).Should(BeEmpty())
	})
})
