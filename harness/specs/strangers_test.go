//go:build darwin || linux

package specs_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("The strangers on a stage", func() {
	It("are not what puppets have started, by Fork or by Spawn", func(ctx SpecContext) {
		stage := newStage()
		job := stage.Start("puppet", "worker")
		worker := stage.Puppet("worker")
		worker.Fork("child")
		worker.Spawn("sleep", "88")
		Expect(stage.Strangers()).To(BeEmpty())
		memberOf(job, "sleep 88")
		stranger := memberOf(stage.Start("sh", "-c", "sleep 87; :"), "sleep 87")
		Expect(stage.Strangers()).To(ConsistOf(stranger))
	}, SpecTimeout(time.Minute))
})
