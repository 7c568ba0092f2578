//go:build darwin || linux

package specs_test

import (
	"fmt"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

var _ = Describe("A tree of bare forks", func() {
	var stage *harness.Stage

	BeforeEach(func() {
		perl()
		stage = newStage()
	})

	It("is a chain of which only the last process lives", func(ctx SpecContext) {
		root := stage.Start(harness.Chain(10, true, "leaf")...)
		leaf := stage.Puppet("leaf")
		Expect(root.Wait()).To(Equal(harness.Status{}))
		at := leaf.Report()
		Expect(at.Session).To(Equal(at.PID))
		Expect(root.Oracle().Held()).To(BeTrue())
		leaf.Exit(0)
		Eventually(ctx, root.Oracle().Gone()).Should(BeClosed())
	}, SpecTimeout(time.Minute))

	It("is a line in which each process waits for the next", func(ctx SpecContext) {
		root := stage.Start(harness.Line(10, "leaf")...)
		leaf := stage.Puppet("leaf")
		Expect(leaf.Report().Group).To(Equal(root.PID()))
		Expect(root.Exited()).NotTo(BeClosed())
		leaf.Exit(6)
		Expect(root.Wait()).To(Equal(harness.Status{Code: 6}))
	}, SpecTimeout(time.Minute))

	It("is a line that ends by the signal that has killed its last process", func(ctx SpecContext) {
		root := stage.Start(harness.Line(3, "leaf")...)
		stage.Puppet("leaf").Die(syscall.SIGKILL)
		root.ExpectKilled(syscall.SIGKILL)
	}, SpecTimeout(time.Minute))

	It("is a fan of orphans", func(ctx SpecContext) {
		root := stage.Start(harness.Fan(5, "leaf")...)
		Expect(root.Wait()).To(Equal(harness.Status{}))
		for i := range 5 {
			leaf := stage.Puppet(fmt.Sprintf("leaf-%d", i+1))
			Expect(leaf.Report().Parent).NotTo(Equal(root.PID()))
			leaf.Exit(0)
		}
		Eventually(ctx, root.Oracle().Gone()).Should(BeClosed())
	}, SpecTimeout(time.Minute))

	It("is a daemon in a session that it does not lead", func(ctx SpecContext) {
		root := stage.Start(harness.Daemon("daemon")...)
		daemon := stage.Puppet("daemon")
		Expect(root.Wait()).To(Equal(harness.Status{}))
		at := daemon.Report()
		Expect(at.Session).NotTo(BeElementOf(at.PID, root.PID(), syscall.Getpid()))
		Expect(daemon.WriteTerminal("hello")).NotTo(Succeed())
	}, SpecTimeout(time.Minute))
})

var _ = Describe("A tree of bare forks without perl", func() {
	It("skips the test with a reason", func() {
		t := &skippedT{}
		t.run(func() {
			stage := harness.New(t, small)
			stage.Setenv("PATH", stage.Path())
			stage.Start(append([]string{"env"}, harness.Daemon("daemon")...)...)
		})
		Expect(t.reason).To(MatchRegexp(`^Chain, Line, Fan and Daemon need perl: .*executable file not found`))
		Expect(t.failed).To(BeFalse())
	})
})
