//go:build linux

package scenarios_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

var _ = Describe("A monitor without", ours, Label("linux", "namespaces"), func() {
	It("room on the disk of the store logs it, and removes the runtime", func(ctx SpecContext) {
		namespace(ctx)
		// The mount ends with the namespace, so all is done in one shell.
		const inside = `dd if=/dev/zero of="$MONITOR_RUNTIME_DIR/fill" 2>&1; ` + crowd
		const script = `mkdir full && mount -t tmpfs -o size=64k,mode=700 none full && export MONITOR_STORE="$PWD/full" || exit 9
monitor run --name full -- sh -c "$1" sh sh -c 'cat "$MONITOR_RUNTIME_DIR/../monitor.log"'
i=0; while [ -e full/runtimes/full ] && [ $i -lt 200 ]; do sleep .1; i=$((i+1)); done
echo "left: $(ls full/runtimes)"`
		result := stage.Run("unshare", "--mount", "sh", "-c", "cd "+stage.Path("")+" && "+script, "sh", inside)
		Expect(result.Status).To(Equal(harness.Status{}), result.Stderr)
		Expect(result.Stdout).To(ContainSubstring("cannot be written and is tried again"))
		Expect(result.Stdout).To(HaveSuffix("left: \n"))
	}, limit)

	It("descriptors for all members, or fork notices, reads the table all the same, and removes the runtime", func(ctx SpecContext) {
		namespace(ctx)
		inside := crowd
		run := monitor.Run("poor", "sh", "-c", inside, "sh", "sh", "-c", `cat "$MONITOR_RUNTIME_DIR/../monitor.log"`)
		words := append([]string{"unshare", "--net", "sh", "-c", `ulimit -n 40; exec "$@"`, "sh"}, run...)
		result := stage.Run(words...)
		Expect(result.Status).To(Equal(harness.Status{}), result.Stderr)
		Expect(result.Stdout).To(And(ContainSubstring("by=pidfd"), Not(ContainSubstring("too many open files"))))
		expectRemoved(ctx, "poor", noProcess{})
	}, limit)
})
