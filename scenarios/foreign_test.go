//go:build darwin || linux

package scenarios_test

import (
	"embed"
	"os"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
	"github.com/gemini-monitor/gemini/scenarios/internal/monitors"
)

//go:embed example
var examples embed.FS

// example sets monitor to one of the examples.
func example(name string) {
	GinkgoHelper()
	program, err := examples.ReadFile("example/" + name)
	Expect(err).NotTo(HaveOccurred())
	path := stage.Path(name)
	Expect(os.WriteFile(path, program, 0o755)).To(Succeed())
	foreign, err := monitors.NewForeign(stage, path)
	Expect(err).NotTo(HaveOccurred())
	monitor, gemini = foreign, nil
}

var _ = Describe("A foreign monitor, the example", ours, func() {
	for name, needs := range map[string]Labels{"pipe-monitor.sh": {}, "cgroup-monitor.sh": {"cgroup"}} {
		Context(name, needs, func() {
			BeforeEach(func(ctx SpecContext) {
				if name == "cgroup-monitor.sh" {
					cgroups(ctx)
				}
				example(name)
			})

			It("is driven through its adapter, keeps the runtime while a process lives and removes it then", func(ctx SpecContext) {
				job := stage.Start(monitor.Run("foreign", "puppet", "owner")...)
				owner := stage.Puppet("owner")
				leaf := owner.Fork("leaf", harness.OwnSession)
				owner.Exit(7)
				Expect(job.Wait()).To(Equal(harness.Status{Code: 7}))
				expectKept(ctx, "foreign", job.Oracle())
				leaf.Exit(0)
				expectRemoved(ctx, "foreign", job.Oracle())
				expectEmptyStore(ctx)
			}, limit)

			It("starts a shell at a terminal", func(ctx SpecContext) {
				sh := stage.AtTerminal(harness.Sh, monitor.Shell("window")...)
				sh.Prompt()
				expectKept(ctx, "window", sh.Oracle())
				sh.Exit()
				expectRemoved(ctx, "window", sh.Oracle())
			}, limit)
		})
	}

	It("pipe-monitor.sh, which has a lease only, loses a process that closes what it inherited", func(ctx SpecContext) {
		example("pipe-monitor.sh")
		stage.Start(monitor.Run("lost", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		owner.CloseInherited()
		Eventually(ctx, monitor.List).Should(BeEmpty())
		Expect(witnessOf(owner).Held()).To(BeTrue(), "the spec proves nothing: the owner has ended")
		owner.Exit(0)
	}, limit)

	It("cgroup-monitor.sh loses no process that closes what it inherited", Label("cgroup"), func(ctx SpecContext) {
		cgroups(ctx)
		example("cgroup-monitor.sh")
		job := stage.Start(monitor.Run("kept", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		orphan := owner.DoubleFork("orphan", harness.OwnSession)
		orphan.CloseInherited()
		owner.Exit(0)
		job.Wait()
		expectKept(ctx, "kept", witnessOf(orphan))
		orphan.Exit(0)
		expectRemoved(ctx, "kept", witnessOf(orphan))
	}, limit)
})

// cgroups skips the spec if no cgroup can be made, entered and left.
func cgroups(ctx SpecContext) {
	perl()
	try := `set -e; root=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
		here=$root$(sed -n 's/^0:://p' /proc/self/cgroup)
		new=$(mktemp -d "$here/try.XXXXXX")
		echo 0 >"$new/cgroup.procs"; echo 0 >"$root/cgroup.procs"; rmdir "$new"`
	if result := stage.Run("sh", "-c", try); result.Status != (harness.Status{}) {
		Skip("no cgroup can be made here: " + strings.TrimSpace(result.Stderr))
	}
}
