//go:build darwin || linux

package specs_test

import (
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

// lives checks that all witnesses report a living process.
func lives(job *harness.Job) {
	GinkgoHelper()
	seen := job.Witnesses()
	Expect(seen.Pipe && seen.Lock).To(BeTrue(), "%v", seen)
	Expect(seen.Cgroup).To(Or(BeNil(), HaveValue(BeTrue())), "%v", seen)
}

// reaped checks that all witnesses report no process after the last process of the job
// was reaped. Its descriptors were closed before. Newer kernels may empty the cgroup
// later, so reaped waits for that.
func reaped(ctx SpecContext, job *harness.Job) {
	GinkgoHelper()
	seen := job.Witnesses()
	Expect(seen.Pipe || seen.Lock).To(BeFalse(), "%v", seen)
	gone(ctx, job)
}

// gone waits until all witnesses report no process.
func gone(ctx SpecContext, job *harness.Job) {
	GinkgoHelper()
	empty := false
	Eventually(ctx, job.Witnesses).Should(BeElementOf(harness.Witnesses{}, harness.Witnesses{Cgroup: &empty}))
}

var _ = Describe("The oracle agrees with an inherited lock, and with a cgroup where there is one,", func() {
	var stage *harness.Stage

	BeforeEach(func() {
		stage = newStage()
		stage.CrossCheck()
	})

	It("about one process", func(ctx SpecContext) {
		job := stage.Start("puppet", "root")
		root := stage.Puppet("root")
		lives(job)
		root.Exit(0)
		job.Wait()
		reaped(ctx, job)
	}, SpecTimeout(time.Minute))

	It("about an orphan that leads a session", func(ctx SpecContext) {
		job := stage.Start("puppet", "root")
		root := stage.Puppet("root")
		leaf := root.DoubleFork("leaf", harness.OwnSession)
		lives(job)
		root.Die(syscall.SIGKILL)
		job.Wait()
		lives(job)
		leaf.Crash()
		gone(ctx, job)
	}, SpecTimeout(time.Minute))

	It("about trees of bare forks", func(ctx SpecContext) {
		perl()
		for _, shape := range [][]string{harness.Chain(20, true, "leaf"), harness.Line(20, "leaf"), harness.Daemon("leaf")} {
			job := stage.Start(shape...)
			leaf := stage.Puppet("leaf")
			lives(job)
			leaf.Exit(0)
			job.Wait()
			gone(ctx, job)
		}
	}, SpecTimeout(time.Minute))

	It("except about a process that closed what it inherited, which only the cgroup and the puppet's connection show", func(ctx SpecContext) {
		job := stage.Start("puppet", "root")
		root := stage.Puppet("root")
		root.CloseDescriptor(3)
		seen := job.Witnesses()
		Expect(seen.Pipe).To(BeFalse())
		Expect(seen.Lock).To(BeTrue())
		root.CloseInherited()
		seen = job.Witnesses()
		Expect(seen.Lock).To(BeFalse())
		Expect(seen.Cgroup).To(Or(BeNil(), HaveValue(BeTrue())))
		Expect(root.Gone()).NotTo(BeClosed())
	}, SpecTimeout(time.Minute))
})
