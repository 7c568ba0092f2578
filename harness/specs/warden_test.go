//go:build darwin || linux

package specs_test

import (
	"os"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
	"github.com/gemini-monitor/gemini/harness/internal/table"
)

// wardenOf returns the PID of the warden of a command.
func wardenOf(pid int) int {
	GinkgoHelper()
	row, err := table.Of(pid)
	Expect(err).NotTo(HaveOccurred())
	Expect(row.Parent).NotTo(BeElementOf(0, 1, os.Getpid()))
	return row.Parent
}

var _ = Describe("A warden", func() {
	It("is the parent of its command, and leads a session of its own", func(ctx SpecContext) {
		stage := newStage()
		job := stage.Start("puppet", "root")
		stage.Puppet("root")
		row, err := table.Of(wardenOf(job.PID()))
		Expect(err).NotTo(HaveOccurred())
		Expect(row.Parent).To(Equal(os.Getpid()))
		Expect(table.Session(row)).To(Equal(row.PID))
	}, SpecTimeout(time.Minute))

	It("adopts the orphans of its tree", Label("linux"), func(ctx SpecContext) {
		stage := newStage()
		job := stage.Start("puppet", "root")
		root := stage.Puppet("root")
		warden := wardenOf(job.PID())
		leaf := root.DoubleFork("leaf", harness.OwnSession)
		Expect(leaf.Report().Parent).To(Equal(warden))
		child := root.Fork("child")
		root.Die(syscall.SIGKILL)
		job.ExpectKilled(syscall.SIGKILL)
		Expect(child.Report().Parent).To(Equal(warden))
		child.Exit(0)
		Eventually(ctx, func() error { _, err := table.Of(child.PID()); return err }).Should(MatchError(table.ErrNoProcess), "the warden reaps it")
		leaf.Exit(0)
		job.ExpectNobody()
	}, SpecTimeout(time.Minute))

	It("passes none of its own descriptors to its command", func(ctx SpecContext) {
		stage := newStage()
		job := stage.Start("sh", "-c", "(exec 9>&3) && echo three; (exec 9>&4) 2>/dev/null || echo not four")
		job.ExpectExit(0)
		Expect(job.Output()).To(HaveSuffix("three\nnot four\n"))
	}, SpecTimeout(time.Minute))

	It("has gone when the stage is cleared", func() {
		var warden int
		message, _ := failing(func(stage *harness.Stage) {
			job := stage.Start("puppet", "root")
			stage.Puppet("root")
			warden = wardenOf(job.PID())
		})
		Expect(message).To(BeEmpty())
		Expect(warden).NotTo(live())
	})
})

// A test that sends SIGKILL to more than it wants may end a warden.
var _ = Describe("A tree whose warden was killed", func() {
	const words = "the warden has ended, signal: killed"

	// orphaned starts a puppet, kills the warden, calls test, and returns the message and the
	// PID of the puppet.
	orphaned := func(test func(stage *harness.Stage, job *harness.Job)) (message string, pid int) {
		GinkgoHelper()
		message, _ = failing(func(stage *harness.Stage) {
			job := stage.Start("puppet", "root")
			stage.Puppet("root").CloseInherited()
			pid = job.PID()
			Expect(stage.Signal(wardenOf(pid), syscall.SIGKILL)).To(Succeed())
			test(stage, job)
		})
		return message, pid
	}

	DescribeTable("says so and does not hang:", func(test func(stage *harness.Stage, job *harness.Job)) {
		began := time.Now()
		message, pid := orphaned(test)
		Expect(message).To(ContainSubstring(words))
		Expect(time.Since(began)).To(BeNumerically("<", 20*time.Second))
		Eventually(pid).ShouldNot(live())
	},
		Entry("Wait", func(_ *harness.Stage, job *harness.Job) { job.Wait() }),
		Entry("ExpectExit", func(_ *harness.Stage, job *harness.Job) { job.ExpectExit(0) }),
		Entry("ExpectKilled", func(_ *harness.Stage, job *harness.Job) { job.ExpectKilled(syscall.SIGTERM) }),
		Entry("ExpectStopped", func(_ *harness.Stage, job *harness.Job) { job.ExpectStopped() }),
		Entry("Alive", func(_ *harness.Stage, job *harness.Job) { job.Alive() }),
		Entry("Members", func(_ *harness.Stage, job *harness.Job) { job.Members() }),
		Entry("ExpectNobody", func(_ *harness.Stage, job *harness.Job) { job.ExpectNobody() }),
		Entry("Expect", func(_ *harness.Stage, job *harness.Job) { job.Expect("never") }),
		Entry("the end of the test", func(*harness.Stage, *harness.Job) {}),
		Entry("Run", func(stage *harness.Stage, _ *harness.Job) {
			// The command and its warden die in one stroke.
			stage.Run("sh", "-c", "kill -9 $PPID; exec sleep 88")
		}),
	)

	It("cannot be signalled, and a later command is not harmed", func() {
		var output string
		message, _ := orphaned(func(stage *harness.Stage, job *harness.Job) {
			job.Signal(syscall.SIGTERM)
			output = stage.Run("echo", "fine").Stdout
		})
		Expect(output).To(Equal("fine\n"))
		Expect(message).To(ContainSubstring(words))
	})
})
