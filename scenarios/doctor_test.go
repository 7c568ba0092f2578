//go:build darwin || linux

package scenarios_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

// An examination is what "doctor --json" prints.
type examination struct {
	Mechanism string
	Findings  []struct{ Word, Subject, Is, Follows, Change string }
}

// examine runs doctor, after the words that come before a command, until it finds what is
// expected: on a busy machine it has no answer in time. It finds a promise that is weaker, or
// that no runtime can be made.
func examine(ctx SpecContext, expected OmegaMatcher, before ...string) {
	GinkgoHelper()
	Eventually(ctx, func(g Gomega) {
		result := stage.Run(append(before, "monitor", "doctor", "--json")...)
		g.Expect(result.Status).To(Equal(harness.Status{Code: 1}), result.Stdout+result.Stderr)
		g.Expect(result.Stderr).To(MatchRegexp(`^monitor: .*(weaker|no runtime can be made) here.*: [^\n]+\n$`))
		var e examination
		g.Expect(json.Unmarshal([]byte(result.Stdout), &e)).To(Succeed(), result.Stdout)
		g.Expect(e).To(expected)
	}).Should(Succeed())
}

// finds matches an examination with a finding: its word, its subject and what is so.
func finds(word, subject, is string) OmegaMatcher {
	return HaveField("Findings", ContainElement(And(HaveField("Word", word), HaveField("Subject", subject), HaveField("Is", MatchRegexp(is)))))
}

var _ = Describe("The doctor", ours, func() {
	It("names a resident monitor that is stopped, and what has it go on, and touches neither it nor its runtime", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("held", "puppet", "leaf")...)
		leaf := stage.Puppet("leaf")
		pair := expectPair(ctx)
		Expect(stage.Signal(pair.Resident, syscall.SIGSTOP)).To(Succeed())
		examine(ctx, And(
			finds("weaker", "resident", fmt.Sprintf("process %d serves, and was stopped", pair.Resident)),
			finds("ok", "runtimes", "^1 running$"),
			HaveField("Findings", ContainElement(HaveField("Change", fmt.Sprintf("kill -CONT %d", pair.Resident)))),
		))
		Expect(stage.Signal(pair.Resident, syscall.SIGCONT)).To(Succeed())
		Expect(expectPair(ctx)).To(Equal(pair))
		leaf.Exit(0)
		expectRemoved(ctx, "held", job.Oracle())
	}, limit)

	It("shows a runtime whose monitor was killed, and starts none for it", func(ctx SpecContext) {
		alone()
		job := stage.Start(monitor.Run("lost", "puppet", "leaf")...)
		leaf := stage.Puppet("leaf")
		end(ctx, "lost", syscall.SIGKILL)
		stage.Setenv("MONITOR_RESIDENT", "")
		examine(ctx, finds("weaker", "unmonitored", "no monitor watches lost$"))
		residents, guards, err := gemini.Processes()
		Expect(err).NotTo(HaveOccurred())
		Expect(append(residents, guards...)).To(BeEmpty())
		Expect(filepath.Glob(filepath.Join(gemini.Store, "resident.*"))).To(BeEmpty())
		leaf.Exit(0)
		job.Wait()
		Expect(stage.Run("monitor", "prune").Status).To(Equal(harness.Status{}))
		expectEmptyStore(ctx)
	}, limit)

	It("shows that no runtime can be made on a read-only file system", Label("read-only"), func(ctx SpecContext) {
		if readOnlyRoot() {
			examine(ctx, finds("refused", "store", "cannot be written: read-only file system"), "env", "MONITOR_STORE=/store")
			return
		}
		script := `mkdir -p mount && mount -t tmpfs -o ro none mount && MONITOR_STORE="$PWD/mount/store" exec "$@"`
		there := []string{"unshare", "-rm", "sh", "-c", script, "sh"}
		if stage.Run(append(there, "true")...).Status != (harness.Status{}) {
			Skip("no read-only file system here, and none can be made without privilege")
		}
		examine(ctx, finds("refused", "store", `\(tmpfs at .*\) cannot be written: read-only file system`), there...)
	}, limit)
})
