package scenarios_test

import (
	"strconv"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("A process that the command makes as its own sibling", ours, Label("linux"), func() {
	// The kernel names the parent of the command as its maker (docs/linux.md L41).
	It("keeps the runtime as unknown while it holds the lease", func(ctx SpecContext) {
		script := `my $pid = syscall($ARGV[0] + 0, 0x8000 | 17, 0, 0, 0, 0); # clone: CLONE_PARENT, SIGCHLD
			die "clone: $!" if $pid < 0;
			exec "puppet", $pid ? "root" : "sibling"`
		job := stage.Start(monitor.Run("clone", perl(), "-e", script, strconv.Itoa(syscall.SYS_CLONE))...)
		root, sibling := stage.Puppet("root"), stage.Puppet("sibling")
		Expect(sibling.Report().Parent).To(Equal(root.Report().Parent))
		Expect(gemini.Members(ctx, "clone")).To(ConsistOf(root.PID()))
		root.Exit(0)
		job.Wait()
		Eventually(ctx, func() string { return stage.Run("monitor", "info", "clone").Stdout }).
			Should(MatchRegexp(`state: +unknown\nreason: .* holds the lease`))
		expectKept(ctx, "clone", witnessOf(sibling))
		sibling.Exit(0)
		expectRemoved(ctx, "clone", witnessOf(sibling))
	}, limit)
})
