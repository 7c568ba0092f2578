//go:build darwin || linux

package specs_test

import (
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
	"github.com/gemini-monitor/gemini/harness/internal/table"
)

var _ = Describe("A puppet that becomes another program", func() {
	var (
		stage *harness.Stage
		job   *harness.Job
		root  *harness.Puppet
	)

	BeforeEach(func() {
		stage = newStage()
		job = stage.Start("puppet", "root")
		root = stage.Puppet("root")
	})

	// Each round was lost now and then when the answer came before the exec.
	It("is that program when Exec returns", func(ctx SpecContext) {
		for range 60 {
			worker := root.Fork("worker")
			worker.Exec("sleep", "88")
			row, err := table.Of(worker.PID())
			Expect(err).NotTo(HaveOccurred())
			Expect(row.Name).To(Equal("sleep"))
			arguments, _ := table.Words(worker.PID())
			Expect(arguments).To(Equal([]string{"sleep", "88"}))
			Expect(stage.Signal(worker.PID(), syscall.SIGTERM)).To(Succeed())
			Expect(root.Reap(worker.PID())).To(Equal(harness.Status{Signal: syscall.SIGTERM}))
			Eventually(ctx, worker.Gone()).Should(BeClosed())
		}
	}, SpecTimeout(2*time.Minute))

	It("refuses orders at once", func() {
		message, _ := failing(func(stage *harness.Stage) {
			stage.Start("puppet", "root")
			root := stage.Puppet("root")
			root.Exec("sleep", "88")
			root.Within(time.Hour).Exit(0)
		})
		Expect(message).To(MatchRegexp(`^puppet root \(PID \d+\): exit: the puppet has become another program by Exec, which obeys no orders$`))
	})

	It("keeps its PID, its start time and the oracle", func(ctx SpecContext) {
		start := root.Report().Start
		root.Exec("sleep", "88")
		row, err := table.Of(job.PID())
		Expect(err).NotTo(HaveOccurred())
		Expect(row.Start).To(Equal(start))
		Expect(job.Oracle().Held()).To(BeTrue())
		job.Signal(syscall.SIGKILL)
		job.ExpectKilled(syscall.SIGKILL)
		job.ExpectNobody()
	}, SpecTimeout(time.Minute))

	DescribeTable("is an error that names the program, and the puppet still obeys:", func(words func() []string, reason string) {
		var child, parent int
		message, _ := failing(func(stage *harness.Stage) {
			stage.Start("puppet", "root")
			root := stage.Puppet("root")
			defer func() { child, parent = root.Fork("child").Report().Parent, root.PID() }()
			root.Exec(words()...)
		})
		Expect(message).To(MatchRegexp(`^puppet root \(PID \d+\): exec \["[^"]*nothing"\]: .*` + reason))
		Expect(child).To(And(Equal(parent), Not(BeZero())))
	},
		Entry("a missing program", func() []string { return []string{"nothing"} }, "not found"),
		Entry("a program that no system can run", func() []string {
			return []string{executable(GinkgoT().TempDir()+"/nothing", "\x00\x01")}
		}, "exec format error"),
	)
})
