//go:build darwin || linux

package report_test

import (
	"os"
	"path/filepath"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

// install makes an executable shell script in a new directory, and lets PATH begin with
// it.
func install(name, script string) {
	GinkgoHelper()
	dir := GinkgoT().TempDir()
	Expect(os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755)).To(Succeed())
	GinkgoT().Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

var _ = Describe("The machine in a report", func() {
	It("has the load and the limits without uptime", func() {
		install("uptime", "exit 1")
		printed, _ := fail(func(*harness.Stage) {})
		Expect(printed).To(MatchRegexp(`(?m)^load     \d+\.\d\d \d+\.\d\d \d+\.\d\d$`))
		Expect(printed).To(MatchRegexp(`(?m)^limits   processes .*\d, files \d+ of`))
	})

	It("is complete although bash fails", func() {
		install("bash", "echo broken 1.0; exit 1")
		printed, _ := fail(func(*harness.Stage) {})
		Expect(printed).To(MatchRegexp(`(?m)^machine  `))
		Expect(printed).To(MatchRegexp(`(?m)^files    `))
		Expect(printed).NotTo(ContainSubstring("broken"))
	})

	It("is complete although bash hangs, and ends what bash has started", func() {
		path := filepath.Join(GinkgoT().TempDir(), "witness")
		Expect(syscall.Mkfifo(path, 0o600)).To(Succeed())
		witness, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
		Expect(err).NotTo(HaveOccurred())
		defer syscall.Close(witness)
		install("bash", `exec 5>'`+path+`'; echo hangs >&5; sleep 1000 & wait`)
		printed, _ := fail(func(*harness.Stage) {})
		Expect(printed).To(MatchRegexp(`(?m)^files    `))
		said := make([]byte, 100)
		n, err := syscall.Read(witness, said)
		Expect(err).NotTo(HaveOccurred())
		Expect(string(said[:n])).To(Equal("hangs\n"))
		// The end comes when no process has the other end. Until then there is EAGAIN.
		Eventually(func() (int, error) { return syscall.Read(witness, said) }, 20*time.Second).Should(Equal(0))
	})
})
