//go:build darwin || linux

package scenarios_test

import (
	"strings"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

var _ = Describe("A process that was there before the runtime", ours, func() {
	// endsUnder has the owner exit and expects the end of the runtime while another
	// process lives on, whose answer proves that it does.
	endsUnder := func(ctx SpecContext, name string, root, other *harness.Puppet) {
		GinkgoHelper()
		root.Exit(0)
		Eventually(ctx, func() (bool, error) { return listed(ctx, name) }).Should(BeFalse(), "runtime %s lasts", name)
		Expect(other.Report().PID).To(Equal(other.PID()))
	}

	It("in a pipeline with the command is no member, when the shell that made both is dead too", Label("shell:bash"), func(ctx SpecContext) {
		needs(harness.Bash)
		sh := stage.AtTerminal(harness.Bash, "bash", "--norc", "--noprofile", "-i")
		sh.Prompt()
		sh.Run(strings.Join(monitor.Run("pipe", "puppet", "root"), " ") + " | puppet fellow &")
		root, fellow := stage.Puppet("root"), stage.Puppet("fellow")
		Expect(fellow.Report().Group).To(Equal(root.PID()), "the shell made no group of the pipeline")
		Expect(gemini.Members(ctx, "pipe")).To(ConsistOf(root.PID()))
		Expect(stage.Signal(sh.PID(), syscall.SIGKILL)).To(Succeed())
		Eventually(sh.Exited()).Should(BeClosed())
		later := fellow.Fork("later")
		endsUnder(ctx, "pipe", root, later)
		fellow.Exit(0)
		later.Exit(0)
	}, limit)

	It("in a pipeline does not hide an orphan that the command leaves in that group", Label("shell:bash"), func(ctx SpecContext) {
		needs(harness.Bash)
		sh := stage.AtTerminal(harness.Bash, "bash", "--norc", "--noprofile", "-i")
		sh.Prompt()
		sh.Run(strings.Join(monitor.Run("both", "puppet", "root"), " ") + " | puppet fellow &")
		root, fellow := stage.Puppet("root"), stage.Puppet("fellow")
		leaf := root.DoubleFork("leaf")
		Expect(leaf.Report().Group).To(Equal(root.PID()))
		expectKnown(ctx, "both", leaf)
		Expect(stage.Signal(sh.PID(), syscall.SIGKILL)).To(Succeed())
		root.Exit(0)
		expectKept(ctx, "both", witnessOf(leaf))
		endsUnder(ctx, "both", leaf, fellow)
		fellow.Exit(0)
	}, limit)

	DescribeTable("as a child of the process that became the command is no member", func(ctx SpecContext, leads func(harness.Standing) int, around []string) {
		perl()
		script := "puppet before & exec " + strings.Join(monitor.Run("exec", "puppet", "root"), " ")
		job := stage.Start(append(around, "sh", "-c", script)...)
		root, before := stage.Puppet("root"), stage.Puppet("before")
		Expect(before.Report().Parent).To(Equal(root.PID()))
		Expect(leads(before.Report())).To(Equal(root.PID()))
		child := before.Fork("child")
		Expect(gemini.Members(ctx, "exec")).To(ConsistOf(root.PID()))
		endsUnder(ctx, "exec", root, child)
		job.Wait()
		before.Exit(0)
		child.Exit(0)
	},
		Entry("in a group that it leads", limit, func(s harness.Standing) int { return s.Group }, []string{"perl", "-e", "setpgrp; exec @ARGV"}),
		Entry("in a session that it leads", limit, func(s harness.Standing) int { return s.Session }, []string{"perl", "-MPOSIX", "-e", "fork and do { wait; exit }; POSIX::setsid(); exec @ARGV"}),
	)
})
