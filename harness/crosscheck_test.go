//go:build darwin || linux

package harness_test

import (
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

// lives checks that all witnesses see somebody.
func lives(job *harness.Job) {
	GinkgoHelper()
	said := job.Witnesses()
	Expect(said.Pipe && said.Lock).To(BeTrue(), "%v", said)
	Expect(said.Cgroup).To(Or(BeNil(), HaveValue(BeTrue())), "%v", said)
}

// reaped checks that all witnesses see nobody, now that the last process of the
// job was reaped. Its descriptors were closed before; when it leaves its cgroup
// is the scheduler's business in newer kernels, so that one is given time.
func reaped(ctx SpecContext, job *harness.Job) {
	GinkgoHelper()
	said := job.Witnesses()
	Expect(said.Pipe || said.Lock).To(BeFalse(), "%v", said)
	gone(ctx, job)
}

// gone waits until all witnesses see nobody.
func gone(ctx SpecContext, job *harness.Job) {
	GinkgoHelper()
	nobody := false
	Eventually(ctx, job.Witnesses).Should(BeElementOf(harness.Witnesses{}, harness.Witnesses{Cgroup: &nobody}))
}

var _ = Describe("The oracle agrees with an inherited lock, and with a cgroup where there is one,", func() {
	var stage *harness.Stage

	BeforeEach(func() {
		stage = newStage()
		stage.CrossCheck()
	})

	It("about one process", func(ctx SpecContext) {
		job := stage.Start("puppet", "root")
		root := stage.Puppet(ctx, "root")
		lives(job)
		root.Exit(ctx, 0)
		job.Wait(ctx)
		reaped(ctx, job)
	}, SpecTimeout(time.Minute))

	It("about an orphan that leads a session", func(ctx SpecContext) {
		job := stage.Start("puppet", "root")
		root := stage.Puppet(ctx, "root")
		leaf := root.DoubleFork(ctx, "leaf", harness.Start{OwnSession: true})
		lives(job)
		root.Die(ctx, syscall.SIGKILL)
		job.Wait(ctx)
		lives(job)
		leaf.Crash(ctx)
		gone(ctx, job)
	}, SpecTimeout(time.Minute))

	It("about trees of bare forks", func(ctx SpecContext) {
		perl()
		for _, shape := range [][]string{harness.Chain(20, true, "leaf"), harness.Line(20, "leaf"), harness.Daemon("leaf")} {
			job := stage.Start(shape...)
			leaf := stage.Puppet(ctx, "leaf")
			lives(job)
			leaf.Exit(ctx, 0)
			job.Wait(ctx)
			gone(ctx, job)
		}
	}, SpecTimeout(time.Minute))

	It("but not about who closed what it inherited: that is what a cgroup or a puppet's own word is for", func(ctx SpecContext) {
		job := stage.Start("puppet", "root")
		root := stage.Puppet(ctx, "root")
		root.CloseDescriptor(ctx, 3)
		said := job.Witnesses()
		Expect(said.Pipe).To(BeFalse())
		Expect(said.Lock).To(BeTrue())
		root.CloseInherited(ctx)
		said = job.Witnesses()
		Expect(said.Lock).To(BeFalse())
		Expect(said.Cgroup).To(Or(BeNil(), HaveValue(BeTrue())))
		Expect(root.Gone()).NotTo(BeClosed())
	}, SpecTimeout(time.Minute))
})
