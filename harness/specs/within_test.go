//go:build darwin || linux

package specs_test

import (
	"os"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

// soon is a limit that passes in a spec.
const soon = 50 * time.Millisecond

var _ = Describe("A limit", func() {
	DescribeTable("is set by Within:", func(test func(stage *harness.Stage), message string) {
		got, _ := failing(test)
		Expect(got).To(MatchRegexp("^" + message))
	},
		Entry("of a stage, for Run", func(s *harness.Stage) { s.Within(soon).Run("sleep", "88") }, `run: expect "sleep 88" to end: not within 50ms`),
		Entry("of a command, for Run", func(s *harness.Stage) { s.Command("sleep", "88").Within(soon).Run() }, `run: expect "sleep 88" to end: not within 50ms`),
		Entry("of a command, for its job", func(s *harness.Stage) { s.Command("sleep", "88").Within(soon).Start().Wait() }, `job-0: expect "sleep 88" to end: not within 50ms`),
		Entry("of a stage, for a job", func(s *harness.Stage) { s.Within(soon).Start("sleep", "88").Wait() }, `job-0: expect "sleep 88" to end: not within 50ms`),
		Entry("of a stage, for a terminal", func(s *harness.Stage) { s.Within(soon).Terminal("sleep", "88").Wait() }, `sleep-0: expect "sleep 88" to end: not within 50ms`),
		Entry("of a tree", func(s *harness.Stage) { s.Start("sleep", "88").Tree.Within(soon).Wait() }, `job-0: expect "sleep 88" to end: not within 50ms`),
		Entry("of a stage, for the greeting of a puppet", func(s *harness.Stage) {
			s.Start("sleep", "88")
			s.Within(soon).Puppet("late")
		}, `no puppet called late has greeted: not within 50ms`),
		Entry("of a stage, for a shell", func(s *harness.Stage) {
			s.Shell(harness.Sh)
			s.Within(soon).AtTerminal(harness.Sh, "sleep", "88").Prompt()
		}, `sh-1: expect .*: not within 50ms`),
		Entry("of a puppet", func(s *harness.Stage) {
			s.Start("puppet", "owner")
			owner := s.Puppet("owner")
			owner.Stop()
			owner.Within(soon).Report()
		}, `puppet owner \(PID \d+\): report: not within 50ms`),
	)

	It("belongs to the handle that Within returns", func(ctx SpecContext) {
		stage := newStage()
		stage.Within(time.Nanosecond)
		job := stage.Start("puppet", "owner")
		owner := stage.Puppet("owner")
		owner.Within(time.Nanosecond)
		job.Within(time.Nanosecond)
		job.Tree.Within(time.Nanosecond)
		Expect(owner.Within(time.Minute).Fork("child").Report().Parent).To(Equal(job.PID()))
		owner.Exit(0)
		job.ExpectExit(0)
	}, SpecTimeout(time.Minute))
})

var _ = Describe("A command that is run", func() {
	It("and could not start has no exit code", func() {
		message, report := failing(func(stage *harness.Stage) {
			result, err := stage.TryRun("no-such-program")
			Expect(err).To(HaveOccurred())
			Expect(result.Status).To(Equal(harness.Status{Code: -1}))
			Expect(result.Status.String()).To(Equal("not started"))
			stage.Run("no-such-program")
		})
		Expect(message).To(HavePrefix("run: start"))
		Expect(report).To(MatchRegexp(`runs no-such-program: start \["no-such-program"\]: exec: .* not found`))
		Expect(report).NotTo(ContainSubstring("exit 0"))
	})

	It("and does not end is killed with its group; the message has what lived before, and what it wrote", func() {
		message, report := failing(func(stage *harness.Stage) {
			result, err := stage.Within(soon).TryRun("sh", "-c", "sleep 87 & exec sleep 88")
			Expect(err).To(HaveOccurred())
			Expect(result.Status).To(Equal(harness.Status{Signal: syscall.SIGKILL}))
			stage.Within(3*time.Second).Run("sh", "-c", "echo begins; sleep 86 & wait")
		})
		Expect(message).To(MatchRegexp(strings.Join([]string{
			`^run: expect "sh -c .*" to end: not within 3s; the stage has killed it; last output: "begins\\n"; before that there were\n`,
			` +\d+ +[A-Z] .*sh -c echo begins`, ` +\d+ +[A-Z] .* sleep 86\n`}, `(.*\n)*?`)))
		Expect(report).To(MatchRegexp(strings.Join([]string{
			`spec +runs sh -c sleep 87.*: expect "sh -c sleep 87.*" to end: not within 50ms`,
			`runs sh -c .*: expect "sh -c .*" to end: not within 3s; the stage has killed it; last output: "begins\\n" \(`, `run \d+ +it has not ended: the stage sends SIGKILL to its group`, `run \d+ +ended: killed by SIGKILL`}, `(.*\n)+?.*`)))
		Expect(message).NotTo(ContainSubstring("left something behind"))
	})
})

var _ = Describe("The environment of the test", func() {
	It("is not passed on, but PATH", func(ctx SpecContext) {
		GinkgoT().Setenv("COLOUR", "blue")
		stage := newStage()
		Expect(stage.Run("sh", "-c", `echo "<$COLOUR>"`).Stdout).To(Equal("<>\n"))
		Expect(stage.Run("sh", "-c", `echo "$PATH"`).Stdout).To(HaveSuffix(":" + os.Getenv("PATH") + "\n"))
	}, SpecTimeout(time.Minute))
})
