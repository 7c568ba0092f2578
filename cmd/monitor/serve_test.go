//go:build darwin || linux

package main

import (
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
)

// held starts a process that lives until release is called, at the latest until the
// spec ends. Only then is it reaped.
func held() (pid int, release func()) {
	GinkgoHelper()
	cmd := exec.Command("sh", "-c", "read -r x")
	gate, err := cmd.StdinPipe()
	Expect(err).NotTo(HaveOccurred())
	Expect(cmd.Start()).To(Succeed())
	release = func() { _ = gate.Close() }
	DeferCleanup(func() {
		release()
		_ = cmd.Wait()
	})
	return cmd.Process.Pid, release
}

var _ = Describe("The command serve with a name", func() {
	It("leaves everything as it is on a signal, and exits with 0", func() {
		create("build")
		cmd := command("serve", "build")
		log, err := cmd.StderrPipe()
		Expect(err).NotTo(HaveOccurred())
		Expect(cmd.Start()).To(Succeed())
		DeferCleanup(func() { _ = cmd.Process.Kill() })
		_, err = log.Read(make([]byte, 1)) // it logs once it watches
		Expect(err).NotTo(HaveOccurred())
		Expect(cmd.Process.Signal(syscall.SIGTERM)).To(Succeed())
		Expect(cmd.Wait()).To(Succeed())
		Expect(store().Names()).To(Equal([]string{"build"}))
		Expect(call("list")).To(HaveField("Stdout", ContainSubstring("unmonitored")))
	})

	It("keeps watching on a hang-up where its caller ignores that, as nohup does", func() {
		pid, release := held()
		r := create("build")
		give(r, pid)

		cmd := command("serve", "build")
		cmd.Stderr = GinkgoWriter
		signal.Ignore(syscall.SIGHUP) // the child inherits that
		err := cmd.Start()
		signal.Reset(syscall.SIGHUP)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func() { _ = cmd.Process.Kill() })
		Eventually(r.Record).Should(HaveField("State", monitor.StateRunning))
		Expect(cmd.Process.Signal(syscall.SIGHUP)).To(Succeed())
		release()
		Expect(cmd.Wait()).To(Succeed())
		nothingLeft()
	})

	It("names the process that watches already", func() {
		r := create("build")
		cmd := command("serve", "build")
		Expect(cmd.Start()).To(Succeed())
		DeferCleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
		Eventually(r.Record).Should(HaveField("Monitor", Not(BeNil())))
		Expect(call("serve", "build")).To(fails(1, `^runtime "build" is watched already, by process `+strconv.Itoa(cmd.Process.Pid)+"$"))
	})
})
