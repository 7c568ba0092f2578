//go:build darwin || linux

package scenarios_test

import (
	"os"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

// A member that lives keeps the runtime, whatever it does after its ancestors have
// ended.
var _ = Describe("An orphan", func() {
	DescribeTable("keeps the runtime when it",
		func(ctx SpecContext, changes func(SpecContext, *harness.Puppet)) {
			job := stage.Start(monitor.Run("changed", "puppet", "root")...)
			root := stage.Puppet("root")
			leaf := root.Fork("leaf")
			root.Exit(0)
			job.Wait()
			changes(ctx, leaf)
			expectKept(ctx, "changed", job.Oracle())
			leaf.Continue()
			leaf.Exit(0)
			expectRemoved(ctx, "changed", job.Oracle())
		},
		Entry("becomes another image", func(ctx SpecContext, leaf *harness.Puppet) { leaf.ExecSelf() }, limit),
		Entry("leads a group", func(ctx SpecContext, leaf *harness.Puppet) { leaf.Setpgid() }, limit),
		Entry("leads a session", func(ctx SpecContext, leaf *harness.Puppet) { leaf.Setsid() }, limit),
		Entry("drops its environment", func(ctx SpecContext, leaf *harness.Puppet) { leaf.DropEnvironment() }, limit),
		Entry("stops", func(ctx SpecContext, leaf *harness.Puppet) { leaf.Stop() }, limit),
		Entry("becomes another user", Label("root"), func(ctx SpecContext, leaf *harness.Puppet) {
			if os.Geteuid() != 0 {
				Skip("only root can change its user")
			}
			leaf.ChangeUser(12345)
		}, limit),
		Entry("ends the thread it began with, and is shown as a zombie", Label("linux"), func(ctx SpecContext, leaf *harness.Puppet) {
			leaf.EndFirstThread()
		}, limit),
		Entry("is traced by a debugger", Label("trace"), func(ctx SpecContext, leaf *harness.Puppet) {
			stage.Start("puppet", "debugger")
			debugger := stage.Puppet("debugger")
			if err := debugger.Trace(leaf.PID()); err != nil {
				Skip("processes cannot be traced here: " + err.Error())
			}
			expectKept(ctx, "changed", witnessOf(leaf)) // on macOS the debugger is its parent now
			debugger.Release(leaf.PID())
			debugger.Exit(0)
		}, limit),
	)

	It("that crashes keeps the runtime no longer", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("crashed", "puppet", "root")...)
		root := stage.Puppet("root")
		leaf := root.Fork("leaf", harness.OwnSession)
		root.Exit(0)
		job.Wait()
		expectKept(ctx, "crashed", job.Oracle())
		leaf.Crash()
		expectRemoved(ctx, "crashed", job.Oracle())
	}, limit)

	It("keeps the runtime, and so does a stranger to which it sent what it inherited", ours, func(ctx SpecContext) {
		job := stage.Start(monitor.Run("lent", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		lent := owner.Lend()
		owner.Exit(0)
		job.Wait()
		// The lease is held and the table shows no member: the verdict is unknown, and
		// nothing is removed.
		Eventually(ctx, func() string { return stage.Run("monitor", "info", "lent").Stdout }).Should(ContainSubstring("holds the lease"))
		// The stranger is this process. A Mac without lsof(8) cannot tell.
		Expect(stage.Run("monitor", "why", "lent").Stdout).To(Or(
			MatchRegexp(`(?m)^%d .*: holds the lease`, os.Getpid()), ContainSubstring("lsof(8) is not installed")))
		expectKept(ctx, "lent", job.Oracle())
		Expect(lent.Close()).To(Succeed())
		expectRemoved(ctx, "lent", job.Oracle())
	}, limit)

	It("is a member of the runtime in which it was forked, not of another one", func(ctx SpecContext) {
		first := stage.Start(monitor.Run("left", "puppet", "root")...)
		root := stage.Puppet("root")
		leaf := root.Fork("leaf", harness.OwnSession)
		second := stage.Start(monitor.Run("beside", "puppet", "other")...)
		other := stage.Puppet("other")
		root.Exit(0)
		first.Wait()
		other.Exit(0)
		expectRemoved(ctx, "beside", second.Oracle())
		expectKept(ctx, "left", first.Oracle())
		leaf.Exit(0)
		expectRemoved(ctx, "left", first.Oracle())
		expectEmptyStore(ctx)
	}, limit)
})

var _ = Describe("A process", func() {
	It("that a server outside of the runtime starts on request is no member of it", func(ctx SpecContext) {
		stage.Start("puppet", "server")
		server := stage.Puppet("server")
		job := stage.Start(monitor.Run("client", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		served := server.Fork("served", harness.OwnSession)
		expectKept(ctx, "client", job.Oracle())
		owner.Exit(0)
		expectRemoved(ctx, "client", job.Oracle())
		Expect(served.Gone()).NotTo(BeClosed(), "the spec proves nothing")
	}, limit)
})
