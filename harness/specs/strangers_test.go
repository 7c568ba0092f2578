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
		pid := memberOf(job, "sleep 88")
		other := stage.Start("sh", "-c", "sleep 87; :")
		Expect(stage.Strangers()).To(ConsistOf(memberOf(other, "sleep 87")), "%d is the worker's", pid)
	}, SpecTimeout(time.Minute))
})
