package specs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
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
			stage := harness.New(t, small, hurry)
			stage.CrossCheck()
			job := stage.Start("puppet", "inside")
			puppet := stage.Puppet("inside")
			if job.Witnesses().Cgroup == nil {
				return
			}
			dir = cgroupOf(job.PID())
			puppet.Exit(0)
			job.ExpectExit(0)
			afterwards(stage, dir)
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

// cgroupOf returns the directory of the control group of a process.
func cgroupOf(pid int) string {
	GinkgoHelper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	Expect(err).NotTo(HaveOccurred())
	for line := range strings.Lines(string(text)) {
		if path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			mounts, err := os.ReadFile("/proc/self/mounts")
			Expect(err).NotTo(HaveOccurred())
			for mount := range strings.Lines(string(mounts)) {
				if fields := strings.Fields(mount); fields[2] == "cgroup2" {
					return filepath.Join(fields[1], path)
				}
			}
		}
	}
	Fail("the job is in no control group")
	return ""
}
