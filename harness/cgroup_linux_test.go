package harness_test

import (
	"os"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

var _ = Describe("The cgroup of a job", Label("linux", "cgroup"), func() {
	// runJob runs a job on a stage of its own, and returns the directory of its cgroup
	// and the failure message of the stage.
	runJob := func(ctx SpecContext, afterwards func(s *harness.Stage, dir string)) (dir, message string) {
		t := &quietT{}
		message = t.run(func() {
			stage := harness.NewStage(t, tools)
			stage.CrossCheck()
			job := stage.Start("true")
			job.Wait(ctx)
			if dir = job.CgroupDirectory(); dir != "" {
				afterwards(stage, dir)
			}
		})
		if dir == "" {
			Skip("no cgroup can be made here")
		}
		return dir, message
	}

	It("is removed with its stage", func(ctx SpecContext) {
		dir, message := runJob(ctx, func(_ *harness.Stage, dir string) { Expect(dir).To(BeADirectory()) })
		Expect(message).To(BeEmpty())
		Expect(dir).NotTo(BeADirectory())
	}, SpecTimeout(time.Minute))

	It("is reported if it cannot be removed", func(ctx SpecContext) {
		dir, message := runJob(ctx, func(stage *harness.Stage, dir string) {
			stage.Hurry()
			inner := filepath.Join(dir, "inner")
			Expect(os.Mkdir(inner, 0o755)).To(Succeed())
			DeferCleanup(func() {
				Expect(os.Remove(inner)).To(Succeed())
				Expect(os.Remove(dir)).To(Succeed())
			})
		})
		Expect(message).To(And(ContainSubstring("left something behind"), ContainSubstring(dir), ContainSubstring("busy")))
	}, SpecTimeout(time.Minute))
})
