//go:build darwin || linux

package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/monitor/resident"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// A waiting is a wait in a process of its own, with its lines on standard error.
type waiting struct {
	cmd  *exec.Cmd
	said *bufio.Reader
}

// waits begins a wait. It returns when that has said that it waits.
func waits(args ...string) waiting {
	GinkgoHelper()
	cmd := command(append([]string{"wait", "--log-level", "debug"}, args...)...)
	said, err := cmd.StderrPipe()
	Expect(err).NotTo(HaveOccurred())
	Expect(cmd.Start()).To(Succeed())
	DeferCleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	w := waiting{cmd, bufio.NewReader(said)}
	w.says("msg=waiting")
	return w
}

// says expects the next line to contain a text.
func (w waiting) says(text string) {
	GinkgoHelper()
	Expect(w.said.ReadString('\n')).To(ContainSubstring(text))
}

// ends returns how the wait ends, with the rest of its lines.
func (w waiting) ends() (rest string, status syscall.WaitStatus) {
	GinkgoHelper()
	text, err := io.ReadAll(w.said)
	Expect(err).NotTo(HaveOccurred())
	_ = w.cmd.Wait()
	return string(text), w.cmd.ProcessState.Sys().(syscall.WaitStatus)
}

// remembered puts a runtime into the history of the store.
func remembered(p monitor.Past) {
	GinkgoHelper()
	Expect(store().Make()).To(Succeed())
	line, err := json.Marshal(p)
	Expect(err).NotTo(HaveOccurred())
	file, err := os.OpenFile(filepath.Join(storeDir, "history.jsonl"), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	Expect(err).NotTo(HaveOccurred())
	_, err = file.Write(append(line, '\n'))
	Expect(err).NotTo(HaveOccurred())
	Expect(file.Close()).To(Succeed())
}

// aPast is a runtime that lasted a minute and a half.
func aPast(name string, how monitor.Cause) monitor.Past {
	ended := time.Date(2026, 1, 2, 3, 4, 5, 0, time.Local)
	return monitor.Past{
		Name: name, How: how, Owner: identity(10), Command: []string{"make", "-j 8"}, StartedIn: "/src",
		Created: ended.Add(-90 * time.Second).UTC(), Ended: ended.UTC(),
	}
}

var _ = Describe("The command wait", func() {
	It("returns when the process has gone and was not reaped yet", func() {
		pid, release := held()
		w := waits(strconv.Itoa(pid))
		release()
		w.says("orphans before the root was watched may have been missed")
		rest, status := w.ends()
		Expect(rest).To(BeEmpty())
		Expect(status).To(BeZero())
	})

	It("takes a process that has ended and was not reaped yet for one that had gone before", func() {
		pid, release := held()
		release()
		Eventually(func() (process.State, error) {
			row, err := process.Lookup(pid)
			return row.State, err
		}).Should(Equal(process.Zombie))
		Expect(call("wait", strconv.Itoa(pid))).To(fails(3, "^process %d does not exist$", pid))
	})

	It("has a runtime watched that has no monitor, and returns when it is gone", func() {
		withResident()
		r, release := mortalOrphan("build")
		w := waits("build")
		Eventually(func(g Gomega) { // its first try to start the resident may take too long
			by, err := resident.ReadCard(store())
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(r.Record()).To(watchedBy(by.Process))
		}).Should(Succeed())
		release()
		rest, status := w.ends()
		Expect(status).To(BeZero(), rest)
		Eventually(func() error { return InterceptGomegaFailure(nothingLeft) }).Should(Succeed()) // the resident may still be deleting the directory
	})

	It("tells once that a runtime has no monitor and gets none, and goes on", func() {
		_, release := mortalOrphan("build")
		w := waits("build")
		w.says("no monitor has the runtime")
		w.says(`monitor: no monitor has runtime "build"; "monitor serve build" goes on with it`)
		release()
		Expect(start("serve", "build")).To(HaveField("Code", 0))
		_, status := w.ends()
		Expect(status).To(BeZero())
		nothingLeft()
	})

	It("waits for several, in whatever order they go", func() {
		first, releaseFirst := held()
		second, releaseSecond := held()
		w := waits(strconv.Itoa(first), strconv.Itoa(second), strconv.Itoa(first))
		w.says("process=" + strconv.Itoa(second))
		releaseSecond()
		releaseFirst()
		_, status := w.ends()
		Expect(status).To(BeZero())
	})

	It("waits for the others where one had gone before, and exits with 3 then", func() {
		pid, release := held()
		remembered(aPast("old", monitor.CauseEnded))
		w := waits("2147483647", "old", strconv.Itoa(pid))
		release()
		rest, status := w.ends()
		Expect(status.ExitStatus()).To(Equal(3))
		Expect(rest).To(MatchRegexp(`monitor: process 2147483647 does not exist; runtime "old" was removed at 2026-01-02T03:04:05\S*\n$`))
	})

	It("waits for none where one is not known", func() {
		pid, _ := held()
		Expect(call("wait", strconv.Itoa(pid), "none")).To(fails(1, `^runtime "none" does not exist$`))
	})

	It("exits with 124 when the time is over", func() {
		orphan("build")
		pid, _ := held()
		Expect(call("wait", "build", "--timeout", "0.01")).To(fails(124, `^runtime "build" has not gone within 10ms$`))
		Expect(call("wait", strconv.Itoa(pid), "--timeout", "10ms")).To(fails(124, `^process %d has not gone within 10ms$`, pid))
	})

	DescribeTable("tells how a runtime ended that had gone before", func(how monitor.Cause, words string) {
		remembered(aPast("build", how))
		Expect(call("wait", "build")).To(fails(3, `^runtime "build" was removed at 2026-01-02T03:04:05[^,]*`+words+"$"))
	},
		Entry(nil, monitor.CauseEnded, ""),
		Entry(nil, monitor.CauseStop, ", after a stop"),
		Entry(nil, monitor.CauseTimeout, ", after its time-out"),
		Entry(nil, monitor.CauseLeftovers, ", after its leftovers were told to end"),
		Entry(nil, monitor.Cause("a\nb"), `, by a\\nb`),
	)

	It("refuses to wait for itself, for an ancestor, and for a runtime that it is in", func() {
		Expect(call("wait", strconv.Itoa(os.Getpid()))).To(fails(2, "^process %d is this command: it would wait for itself$", os.Getpid()))
		Expect(call("wait", strconv.Itoa(os.Getppid()))).To(fails(2, "^process %d is an ancestor of this command: it would wait for itself$", os.Getppid()))
		create("build")
		Expect(call("wait", "build")).To(fails(2, `^this command is in runtime "build": it would wait for itself$`))
	})

	It("fails where a runtime is broken, with the reason", func() {
		broken := orphan("record")
		Expect(os.WriteFile(filepath.Join(broken.Dir(), "runtime.json"), []byte("?"), 0o600)).To(Succeed())
		Expect(call("wait", "record")).To(fails(1, `^runtime "record" has a broken record: `))
		broken = orphan("journal")
		Expect(os.WriteFile(filepath.Join(broken.Dir(), "journal.jsonl"), []byte("?\n"), 0o600)).To(Succeed())
		Expect(call("wait", "journal")).To(fails(1, `^runtime "journal" is broken: .*journal`))
	})

	DescribeTable("dies by a signal", func(sent syscall.Signal) {
		pid, _ := held()
		caught := make(chan os.Signal, 1)
		signal.Notify(caught, sent) // these specs may ignore it, which a child would inherit
		defer signal.Stop(caught)
		w := waits(strconv.Itoa(pid))
		Expect(w.cmd.Process.Signal(sent)).To(Succeed())
		rest, status := w.ends()
		Expect(status.Signaled()).To(BeTrue(), rest)
		Expect(status.Signal()).To(Equal(sent))
		Expect(rest).To(BeEmpty())
	},
		Entry("interrupt", syscall.SIGINT), Entry("terminate", syscall.SIGTERM), Entry("quit", syscall.SIGQUIT), Entry("hang-up", syscall.SIGHUP),
	)
})
