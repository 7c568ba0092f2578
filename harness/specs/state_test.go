//go:build darwin || linux

package specs_test

import (
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

var _ = Describe("The state of a command", func() {
	for _, terminal := range []bool{false, true} {
		kind := map[bool]string{false: "job", true: "terminal"}[terminal]

		It("of a "+kind+" is awaited: stopped, running, stopped again, killed", func(ctx SpecContext) {
			stage := newStage()
			var tree *harness.Tree
			if terminal {
				tree = &stage.Terminal("puppet", "root").Tree
			} else {
				tree = &stage.Start("puppet", "root").Tree
			}
			root := stage.Puppet("root")
			tree.ExpectRunning()
			for range 3 {
				root.Stop()
				tree.ExpectStopped()
				tree.Signal(syscall.SIGCONT)
				tree.ExpectRunning()
				Expect(root.Report().PID).To(Equal(tree.PID()))
			}
			tree.Signal(syscall.SIGSTOP)
			tree.ExpectStopped()
			tree.Signal(syscall.SIGKILL)
			Eventually(ctx, tree.Exited()).Should(BeClosed())
			tree.Signal(syscall.SIGTERM) // nothing: it was reaped
			tree.ExpectKilled(syscall.SIGKILL)
			Expect(tree.Wait()).To(Equal(harness.Status{Signal: syscall.SIGKILL}))
			tree.ExpectNobody()
		}, SpecTimeout(time.Minute))
	}

	It("is awaited while its group is stopped and continued", func(ctx SpecContext) {
		stage := newStage()
		term := stage.Terminal("sh", "-c", "puppet inner; :")
		inner := stage.Puppet("inner")
		Expect(stage.Signal(-term.PID(), syscall.SIGSTOP)).To(Succeed())
		term.ExpectStopped()
		Expect(stage.Signal(-term.PID(), syscall.SIGCONT)).To(Succeed())
		term.ExpectRunning()
		inner.Exit(0)
		term.ExpectExit(0)
	}, SpecTimeout(time.Minute))

	It("is the exit code or the signal, the limits included", func(ctx SpecContext) {
		stage := newStage()
		for _, code := range []int{0, 1, 127, 255} {
			job := stage.Start("puppet", "root")
			stage.Puppet("root").Exit(code)
			job.ExpectExit(code)
		}
		stage.Start("sh", "-c", "kill -USR1 $$").ExpectKilled(syscall.SIGUSR1)
	}, SpecTimeout(time.Minute))

	DescribeTable("that does not come fails the test:", func(test func(job *harness.Job, root *harness.Puppet), message string) {
		got, _ := failing(func(stage *harness.Stage) {
			job := stage.Start("puppet", "root")
			test(job.Within(100*time.Millisecond), stage.Puppet("root"))
		})
		Expect(got).To(Equal("job-0: " + message))
	},
		Entry("no stop", func(j *harness.Job, _ *harness.Puppet) { j.ExpectStopped() },
			`expect "puppet root" to stop: not within 100ms`),
		Entry("no continuation", func(j *harness.Job, p *harness.Puppet) {
			p.Stop()
			j.Within(time.Minute).ExpectStopped()
			j.ExpectRunning()
		}, `expect "puppet root" to run: not within 100ms`),
		Entry("no end", func(j *harness.Job, _ *harness.Puppet) { j.ExpectExit(0) },
			`expect "puppet root" to end: not within 100ms`),
		Entry("a stop of what has ended", func(j *harness.Job, p *harness.Puppet) { p.Exit(3); j.Within(time.Minute).Wait(); j.ExpectStopped() },
			`expect "puppet root" to stop: it has ended, exit 3`),
		Entry("a stop of what ends meanwhile", func(j *harness.Job, p *harness.Puppet) {
			time.AfterFunc(10*time.Millisecond, func() { j.Signal(syscall.SIGTERM) })
			j.Within(time.Minute).ExpectStopped()
		}, `expect "puppet root" to stop: it has ended, killed by SIGTERM`),
		Entry("running of what has ended", func(j *harness.Job, p *harness.Puppet) {
			p.Die(syscall.SIGKILL)
			j.Within(time.Minute).Wait()
			j.ExpectRunning()
		},
			`expect "puppet root" to run: it has ended, killed by SIGKILL`),
		Entry("another code", func(j *harness.Job, p *harness.Puppet) { p.Exit(3); j.Within(time.Minute).ExpectExit(0) },
			`expect "puppet root" to exit with 0: it exited with 3`),
		Entry("a signal for a code", func(j *harness.Job, p *harness.Puppet) { p.Die(syscall.SIGINT); j.Within(time.Minute).ExpectExit(0) },
			`expect "puppet root" to exit with 0: it was killed by SIGINT`),
		Entry("a code for a signal", func(j *harness.Job, p *harness.Puppet) {
			p.Exit(0)
			j.Within(time.Minute).ExpectKilled(syscall.SIGTERM)
		},
			`expect "puppet root" to be killed by SIGTERM: it exited with 0`),
	)
})
