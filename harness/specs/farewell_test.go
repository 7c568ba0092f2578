//go:build darwin || linux

package specs_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

// memberOf waits for the process of a job that has the given command, and returns its PID.
func memberOf(job *harness.Job, command string) (pid int) {
	GinkgoHelper()
	Eventually(func() int {
		for _, m := range job.Members() {
			if m.Command == command {
				pid = m.PID
			}
		}
		return pid
	}).ShouldNot(BeZero(), "%v", job)
	return pid
}

// patient lets what ends itself do so on a busy machine, too.
func patient(stage *harness.Stage) { harness.Grace(time.Minute)(stage) }

var _ = Describe("A test that ends while a command runs", func() {
	It("passes, and the whole tree is ended", func() {
		var pids []int
		message, report := failing(func(stage *harness.Stage) {
			job := stage.Start("sh", "-c", "env -i sleep 88 >/dev/null 2>&1 3>&- & echo x; sleep 87; echo y")
			job.Expect("x")
			pids = append(pids, job.PID(), memberOf(job, "sleep 88"), memberOf(job, "sleep 87"))
			term := stage.Terminal("sh", "-c", "trap '' HUP; sleep 86; echo y")
			stage.Shell(harness.Sh).Send("sleep 85")
			pids = append(pids, term.PID())
		})
		Expect(message).To(BeEmpty())
		Expect(report).To(BeEmpty())
		for _, pid := range pids {
			Eventually(pid).ShouldNot(live())
		}
	})

	It("passes if the tree has a daemon", Label("linux"), func() {
		message, _ := failing(func(stage *harness.Stage) {
			words := recluse("88")
			job := stage.Start("sh", "-c", `"$@"; sleep 87; :`, "sh", words[0], words[1], words[2], words[3])
			memberOf(job, "/bin/sleep 88")
		})
		Expect(message).To(BeEmpty())
	})

	It("lets the command end what it has started, and itself", func() {
		dir := GinkgoT().TempDir()
		var worker *harness.Puppet
		message, _ := failing(func(stage *harness.Stage) {
			patient(stage)
			stage.Setenv("KEPT", dir)
			stage.Start("sh", "-c", `trap 'kill -9 $!; wait; echo done >"$KEPT/job"; exit' TERM; puppet worker & while :; do wait; done`)
			worker = stage.Puppet("worker")
			stage.Terminal("sh", "-c", `trap 'echo done >"$KEPT/terminal"; exit' HUP; puppet other & while :; do wait; done`)
			stage.Puppet("other")
		})
		Expect(message).To(BeEmpty())
		Expect(worker.Gone()).To(BeClosed())
		Expect(filepath.Join(dir, "job")).To(BeARegularFile())
		Expect(filepath.Join(dir, "terminal")).To(BeARegularFile())
	})

	It("lets a stopped command end itself", func() {
		dir := GinkgoT().TempDir()
		message, _ := failing(func(stage *harness.Stage) {
			patient(stage)
			stage.Setenv("KEPT", dir)
			job := stage.Start("sh", "-c", `trap 'echo done >"$KEPT/job"; exit' TERM; echo ready; while :; do sleep 0.01; done`)
			job.Expect("ready")
			job.Signal(syscall.SIGSTOP)
			job.ExpectStopped()
		})
		Expect(message).To(BeEmpty())
		Expect(filepath.Join(dir, "job")).To(BeARegularFile())
	})

	It("kills a command that does not end", func() {
		var pid int
		message, _ := failing(func(stage *harness.Stage) {
			job := stage.Start("sh", "-c", `trap '' TERM; echo ready; while :; do sleep 88; done`)
			job.Expect("ready")
			pid = job.PID()
		})
		Expect(message).To(BeEmpty())
		Expect(pid).NotTo(live())
	})

	It("fails by what another command has left, and the timeline has the signals that the stage sent", func() {
		message, report := failing(func(stage *harness.Stage) {
			stage.Start(without("")...).ExpectExit(0)
			job := stage.Start("sh", "-c", "trap '' TERM; sleep 87; :")
			memberOf(job, "sleep 87")
			term := stage.Terminal("sh", "-c", "echo ready; sleep 86; :")
			term.Expect("ready")
		})
		Expect(message).To(And(HavePrefix("the test left something behind:\n"), ContainSubstring("sleep 88")))
		Expect(message).NotTo(Or(ContainSubstring("sleep 87"), ContainSubstring("sleep 86")))
		Expect(report).To(MatchRegexp(strings.Join([]string{
			`job-1 \d+ +the test has ended: the stage sends SIGTERM`,
			`sh-0 \d+ +the test has ended: the stage sends SIGHUP`,
			`job-1 \d+ +the test has ended: the stage sends SIGKILL`,
			`job-1 +the stage sends SIGKILL to what is left: \d+ \(sleep 87\)`,
		}, `(.*\n)+?.*`)))
	})

	It("asks no puppet: it is killed", func() {
		message, report := failing(func(stage *harness.Stage) {
			stage.Start(without("")...).ExpectExit(0)
			stage.Start("puppet", "owner")
			stage.Puppet("owner").Stop()
		})
		Expect(message).To(ContainSubstring("sleep 88"))
		Expect(report).To(MatchRegexp(`job-1 \d+ +the test has ended: the stage sends SIGKILL`))
		Expect(report).NotTo(ContainSubstring("SIGTERM"))
	})

	It("asks a program that a puppet has become", func() {
		dir := GinkgoT().TempDir()
		message, _ := failing(func(stage *harness.Stage) {
			patient(stage)
			job := stage.Start("puppet", "owner")
			stage.Puppet("owner").Exec("sh", "-c", `trap 'echo done >"$0/job"; exit' TERM; echo ready; while :; do sleep 0.01; done`, dir)
			job.Expect("ready")
		})
		Expect(message).To(BeEmpty())
		Expect(os.ReadFile(filepath.Join(dir, "job"))).To(BeEquivalentTo("done\n"))
	})
})
