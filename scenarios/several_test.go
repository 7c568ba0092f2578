//go:build darwin || linux

package scenarios_test

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

var _ = Describe("Several runtimes", func() {
	It("side by side live and end independently", func(ctx SpecContext) {
		first := stage.Start(monitor.Run("first", "puppet", "one")...)
		one := stage.Puppet("one")
		second := stage.Start(monitor.Run("second", "puppet", "two")...)
		two := stage.Puppet("two")
		Expect(monitor.List(ctx)).To(ConsistOf("first", "second"))
		one.Exit(0)
		expectRemoved(ctx, "first", first.Oracle())
		expectKept(ctx, "second", second.Oracle())
		two.Exit(0)
		expectRemoved(ctx, "second", second.Oracle())
	}, limit)

	It("started at once all exist, and all are removed", func(ctx SpecContext) {
		const many = 4
		var names []string
		var jobs []*harness.Job
		for i := range many {
			names = append(names, fmt.Sprintf("of-many-%d", i))
			jobs = append(jobs, stage.Start(monitor.Run(names[i], "puppet", names[i])...))
		}
		var puppets []*harness.Puppet
		for _, name := range names {
			puppets = append(puppets, stage.Puppet(name))
		}
		Expect(monitor.List(ctx)).To(ConsistOf(names))
		for i := range many {
			puppets[i].Exit(0)
			expectRemoved(ctx, names[i], jobs[i].Oracle())
		}
		expectEmptyStore(ctx)
	}, limit)

	It("made around one command after another by the same shell do not mix", ours, func(ctx SpecContext) {
		sh := stage.Shell(harness.Bash)
		for i := range 5 {
			output, status := sh.Run(fmt.Sprintf("monitor run --name turn-%d -- monitor info", i))
			Expect(status).To(Equal(0), output)
			Expect(output).To(ContainSubstring(fmt.Sprintf("turn-%d", i)))
		}
		expectEmptyStore(ctx)
	}, limit)

	It("nested: the inner one ends first and the outer one stays", func(ctx SpecContext) {
		sh := stage.AtTerminal(harness.Bash, monitor.Shell("outer")...)
		sh.Prompt()
		sh.Send(typed(monitor.Run("inner", "puppet", "inside")))
		inside := stage.Puppet("inside")
		Expect(monitor.List(ctx)).To(ConsistOf("inner", "outer"))
		inside.Exit(0)
		sh.Prompt()
		expectRemoved(ctx, "inner", witnessOf(inside))
		expectKept(ctx, "outer", sh.Oracle())
		if gemini != nil {
			output, _ := sh.Run("monitor info")
			Expect(output).To(ContainSubstring("outer"))
		}
		sh.Exit()
		expectRemoved(ctx, "outer", sh.Oracle())
	}, limit)

	It("nested in one exec chain: the outer one lives as long as the inner one", func(ctx SpecContext) {
		argv := monitor.Run("outer", monitor.Run("inner", "puppet", "inside")...)
		job := stage.Start(argv...)
		inside := stage.Puppet("inside")
		Expect(inside.PID()).To(Equal(job.PID()))
		expectKept(ctx, "outer", job.Oracle())
		expectKept(ctx, "inner", job.Oracle())
		inside.Exit(0)
		expectRemoved(ctx, "inner", job.Oracle())
		expectRemoved(ctx, "outer", job.Oracle())
		expectEmptyStore(ctx)
	}, limit)

	It("nested: an orphan of the inner one keeps both", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("outer", "sh", "-c", typed(monitor.Run("inner", "sh", "-c", "(puppet leaf &)"))+"; :")...)
		Expect(job.Wait()).To(Equal(harness.Status{}), job.Output())
		leaf := stage.Puppet("leaf")
		expectKept(ctx, "inner", job.Oracle())
		expectKept(ctx, "outer", job.Oracle())
		leaf.Exit(0)
		expectRemoved(ctx, "inner", job.Oracle())
		expectRemoved(ctx, "outer", job.Oracle())
	}, limit)

	It("nested: the inner one outlives the command of the outer one, and both end at once", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("outer", "puppet", "root")...)
		root := stage.Puppet("root")
		// The inner runtime is made by a member of the outer one.
		root.Spawn(monitor.Run("inner", "puppet", "inside")...)
		inside := stage.Puppet("inside")
		root.Exit(0)
		job.Wait()
		expectKept(ctx, "inner", witnessOf(inside))
		expectKept(ctx, "outer", witnessOf(inside))
		inside.Exit(0)
		expectRemoved(ctx, "inner", witnessOf(inside))
		expectRemoved(ctx, "outer", job.Oracle())
	}, limit)
})
