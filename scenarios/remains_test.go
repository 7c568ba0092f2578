//go:build darwin || linux

package scenarios_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

// pinning returns the commands that keep a file from being deleted, and end that. It
// skips the spec where no file can be kept.
func pinning() (pin, unpin string) {
	GinkgoHelper()
	pin, unpin = "chflags uchg", "chflags nouchg"
	if _, err := exec.LookPath("chflags"); err != nil {
		pin, unpin = "chattr +i", "chattr -i"
	}
	try := stage.Path("try")
	Expect(os.WriteFile(try, nil, 0o600)).To(Succeed())
	defer os.Remove(try)
	if result := stage.Run("sh", "-c", pin+" try"); result.Status != (harness.Status{}) {
		Skip("no file can be made immutable here: " + result.Stderr)
	}
	Expect(os.Remove(try)).NotTo(Succeed())
	Expect(stage.Run("sh", "-c", unpin+" try").Status).To(Equal(harness.Status{}))
	return pin, unpin
}

var _ = Describe("A runtime with a file that cannot be deleted", Label("immutable"), ours, func() {
	var unpin string

	// The runtime "pinned" has ended, and its file cannot be deleted.
	BeforeEach(func(ctx SpecContext) {
		var pin string
		pin, unpin = pinning()
		script := `echo dear >"$MONITOR_RUNTIME_DIR/file" && ` + pin + ` "$MONITOR_RUNTIME_DIR/file"`
		DeferCleanup(func() { stage.Run("sh", "-c", unpin+` "$MONITOR_STORE"/trash/*/root/file`) })
		job := stage.Start(monitor.Run("pinned", "sh", "-c", script)...)
		Expect(job.Wait()).To(Equal(harness.Status{}), job.Output())
		Eventually(ctx, func() string { return stage.Run("monitor", "info", "pinned").Stdout }).Should(MatchRegexp(
			`state: +stopping\nreason: +.*/trash/pinned-[^/]*/root/file: operation not permitted\n`))
	}, NodeTimeout(2*time.Minute))

	free := func() {
		GinkgoHelper()
		Expect(stage.Run("sh", "-c", unpin+` "$MONITOR_STORE"/trash/pinned-*/root/file`).Status).To(Equal(harness.Status{}))
	}

	It("stays in sight, with its log, and its name is free", func(ctx SpecContext) {
		Expect(stage.Run("monitor", "list").Stdout).To(MatchRegexp(`pinned +stopping .*operation not permitted\n`))
		logs, err := filepath.Glob(filepath.Join(gemini.Store, "trash", "pinned-*", "monitor.log"))
		Expect(err).NotTo(HaveOccurred())
		Expect(logs).To(HaveLen(1))
		Expect(stage.Run("monitor", "info", "pinned").Stdout).To(ContainSubstring(logs[0]))
		again := stage.Start(monitor.Run("pinned", "puppet", "leaf")...)
		leaf := stage.Puppet("leaf")
		Expect(stage.Run("monitor", "info", "pinned").Stdout).To(MatchRegexp(`state: +running`), "the living one is the one that is meant")
		leaf.Exit(0)
		Expect(again.Wait()).To(Equal(harness.Status{}))
		Eventually(ctx, gemini.Files).Should(HaveLen(1))
		free()
		stage.Start(monitor.Run("next", "true")...).ExpectExit(0)
		expectEmptyStore(ctx)
	}, limit)

	It("goes by itself when it can be deleted", func(ctx SpecContext) {
		free()
		expectEmptyStore(ctx)
	}, limit)

	It("goes with the next monitor when its own was killed", func(ctx SpecContext) {
		end(ctx, "pinned", syscall.SIGKILL)
		Expect(stage.Run("monitor", "list").Stdout).To(MatchRegexp(`pinned +stopping .*operation not permitted\n`))
		free()
		stage.Start(monitor.Run("next", "true")...).ExpectExit(0)
		expectEmptyStore(ctx)
	}, limit)
})
