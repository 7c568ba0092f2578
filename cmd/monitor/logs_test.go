//go:build darwin || linux

package main

import (
	"bufio"
	"io"
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/monitor"
)

// note adds a line to the log of a runtime.
func note(r *monitor.Runtime, line string) {
	GinkgoHelper()
	_, err := io.WriteString(r.LogWriter(), line+"\n")
	Expect(err).NotTo(HaveOccurred())
}

var _ = Describe("The command logs", func() {
	It("prints what was logged", func() {
		r := create("build")
		Expect(call("logs", "build")).To(Equal(outcome{}))
		note(r, "one")
		note(r, "two")
		Expect(call("logs", "build")).To(Equal(outcome{Stdout: "one\ntwo\n"}))
	})

	It("prints that of a broken runtime too, and follows it no longer", func() {
		r := create("build")
		note(r, "one")
		Expect(os.WriteFile(filepath.Join(r.Dir(), "runtime.json"), []byte("?"), 0o600)).To(Succeed())
		Expect(call("logs", "build")).To(Equal(outcome{Stdout: "one\n"}))
		Expect(call("logs", "-f", "build")).To(Equal(outcome{Stdout: "one\n"}))
	})

	It("follows it until the runtime is gone, and prints its last line", func() {
		r, release := mortalOrphan("build")
		note(r, "one")
		cmd := command("logs", "-f", "build")
		out, err := cmd.StdoutPipe()
		Expect(err).NotTo(HaveOccurred())
		Expect(cmd.Start()).To(Succeed())
		DeferCleanup(func() { _ = cmd.Process.Kill() })
		lines := bufio.NewReader(out)
		Expect(lines.ReadString('\n')).To(Equal("one\n"))
		note(r, "two")
		Expect(lines.ReadString('\n')).To(Equal("two\n"))
		release()
		note(r, "three")
		Expect(start("serve", "build")).To(HaveField("Code", 0))
		Expect(io.ReadAll(lines)).To(BeEquivalentTo("three\n"))
		Expect(cmd.Wait()).To(Succeed())
	})

	It("says of a removed runtime that its log went with it", func() {
		remembered(aPast("build", monitor.CauseStop))
		Expect(call("logs", "build")).To(fails(1, `^runtime "build" was removed at 2026-01-02T03:04:05\S*, after a stop, and its log went with it$`))
		Expect(call("logs", "-f", "build")).To(fails(1, `^runtime "build" was removed at `))
	})

	It("waits for no pipe in its place", func() {
		r := create("build")
		log := filepath.Join(r.Dir(), "monitor.log")
		Expect(os.Remove(log)).To(Succeed())
		Expect(unix.Mkfifo(log, 0o600)).To(Succeed())
		Expect(call("logs", "build")).To(fails(1, `monitor\.log: is not a regular file$`))
		Expect(os.Remove(log)).To(Succeed())
		Expect(call("logs", "build")).To(fails(1, `monitor\.log: no such file or directory$`))
	})
})
