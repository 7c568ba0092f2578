//go:build darwin || linux

package scenarios_test

import (
	"os"
	"strconv"
	"strings"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

var _ = Describe("Bad input", ours, func() {
	// refused runs a command that must be refused: with an exit code, one line on
	// standard error with the reason, no output, and no runtime left.
	refused := func(ctx SpecContext, code int, reason string, argv ...string) {
		GinkgoHelper()
		result := stage.Run(argv...)
		Expect(result.Status).To(Equal(harness.Status{Code: code}), result.Stderr)
		Expect(result.Stderr).To(MatchRegexp(`^monitor: [^\n]*\n$`))
		Expect(result.Stderr).To(MatchRegexp(reason))
		Expect(result.Stdout).To(BeEmpty())
		expectEmptyStore(ctx)
	}

	DescribeTable("is refused in one line, with its exit code, and leaves nothing",
		refused,
		Entry("info: no runtime of that name", 1, `^monitor: runtime "nobody" does not exist\n$`, "monitor", "info", "nobody", limit),
		Entry("serve: no runtime of that name", 1, `^monitor: runtime "nobody" does not exist\n$`, "monitor", "serve", "nobody", limit),
		Entry("tree: no runtime of that name", 1, `^monitor: runtime "nobody" does not exist\n$`, "monitor", "tree", "nobody", limit),
		Entry("info outside of any runtime", 1, `^monitor: No active runtime\n$`, "monitor", "info", limit),
		Entry("tree with the name of a runtime that is gone", 1, `^monitor: No active runtime\n$`, "env", "MONITOR_RUNTIME=gone", "monitor", "tree", limit),
		Entry("list with a relative HOME", 1, `HOME is "home"`, "env", "-u", "MONITOR_STORE", "-u", "XDG_STATE_HOME", "HOME=home", "monitor", "list", limit),
		Entry("run with a relative HOME", 125, `HOME is "home"`, "env", "-u", "MONITOR_STORE", "-u", "XDG_STATE_HOME", "HOME=home", "monitor", "run", "true", limit),
		Entry("tree outside of any runtime", 1, `^monitor: No active runtime\n$`, "monitor", "tree", limit),
		Entry("wait: an unused PID", 3, `99999999`, "monitor", "wait", "99999999", limit),
		Entry("tree: an unused PID", 1, `99999999`, "monitor", "tree", "99999999", limit),
		Entry("wait: PID 0", 2, `PID 0`, "monitor", "wait", "0", limit),
		Entry("wait: PID 1", 2, `PID 1`, "monitor", "wait", "1", limit),
		Entry("wait: a negative PID", 2, `-5`, "monitor", "wait", "--", "-5", limit),
		Entry("wait: no runtime of that name", 1, `"abc" does not exist`, "monitor", "wait", "abc", limit),
		Entry("wait: nothing", 2, `PID`, "monitor", "wait", limit),
		Entry("tree: PID 0", 2, `PID 0`, "monitor", "tree", "0", limit),
		Entry("tree: PID 1", 2, `PID 1`, "monitor", "tree", "1", limit),
		Entry("info: a bad name", 2, `/etc`, "monitor", "info", "../../etc", limit),
		Entry("serve: a bad name", 2, `name`, "monitor", "serve", ".hidden", limit),
		Entry("run: a bad name", 125, `name`, "monitor", "run", "--name", "a/b", "--", "true", limit),
		Entry("run: a name too long", 125, `name`, "monitor", "run", "--name", strings.Repeat("x", 65), "--", "true", limit),
		Entry("run: a name with a leading dot", 125, `name`, "monitor", "run", "--name", ".x", "--", "true", limit),
		Entry("shell: a bad name", 125, `name`, "monitor", "shell", "--name", "a b", limit),
		Entry("run: no command", 125, `command`, "monitor", "run", limit),
		Entry("run: no such command", 127, `no-such-command`, "sh", "-c", `monitor=$(command -v monitor); PATH=/usr/bin:/bin exec "$monitor" run -- no-such-command`, limit),
		Entry("run: no such path", 127, `/no/such`, "monitor", "run", "--", "/no/such/program", limit),
		Entry("run: a directory", 126, `directory`, "monitor", "run", "--", "/", limit),
		Entry("run: not executable", 126, `passwd`, "monitor", "run", "--", "/etc/passwd", limit),
		Entry("run: an unknown flag", 125, `colour`, "monitor", "run", "--colour", "--", "true", limit),
		Entry("info: an unknown flag", 2, `colour`, "monitor", "info", "--colour", limit),
		Entry("an unknown command", 2, `frobnicate`, "monitor", "frobnicate", limit),
	)

	It("wait: a process that has ended is told apart", func(ctx SpecContext) {
		job := stage.Start("true")
		job.Wait()
		refused(ctx, 3, strconv.Itoa(job.PID()), "monitor", "wait", strconv.Itoa(job.PID()))
	}, limit)

	It("shell: a SHELL that cannot be executed is refused", func(ctx SpecContext) {
		stage.Setenv("SHELL", "/no/such/shell")
		refused(ctx, 127, "/no/such/shell", "monitor", "shell")
		stage.Setenv("SHELL", "/etc/passwd")
		refused(ctx, 126, "/etc/passwd", "monitor", "shell")
	}, limit)

	It("run: a name in use is refused, and its runtime is not touched", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("used", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		second := stage.Run(monitor.Run("used", "echo", "started")...)
		Expect(second.Status).To(Equal(harness.Status{Code: 125}))
		Expect(second.Stdout).To(BeEmpty())
		Expect(second.Stderr).To(MatchRegexp(`^monitor: .*"used".*\n$`))
		expectKept(ctx, "used", job.Oracle())
		owner.Exit(0)
		expectRemoved(ctx, "used", job.Oracle())
	}, limit)

	It("run: a store that cannot be written is refused", Label("no-root"), func(ctx SpecContext) {
		if os.Geteuid() == 0 {
			Skip("root may write everywhere")
		}
		Expect(os.Mkdir(stage.Path("locked"), 0o500)).To(Succeed())
		refused(ctx, 125, `locked`, "monitor", "--store", stage.Path("locked", "store"), "run", "--", "true")
	}, limit)

	It("run: a store that is a file is refused", func(ctx SpecContext) {
		Expect(os.WriteFile(stage.Path("file"), nil, 0o600)).To(Succeed())
		refused(ctx, 125, `file`, "monitor", "--store", stage.Path("file"), "run", "--", "true")
	}, limit)

	It("run: a store that others can write to is refused", func(ctx SpecContext) {
		Expect(os.Mkdir(stage.Path("public"), 0o700)).To(Succeed())
		Expect(os.Chmod(stage.Path("public"), 0o777)).To(Succeed())
		refused(ctx, 125, `public`, "monitor", "--store", stage.Path("public"), "run", "--", "true")
	}, limit)

	It("run: a store of another user is refused", Label("root"), func(ctx SpecContext) {
		if os.Geteuid() != 0 {
			Skip("only root can change the owner of a directory")
		}
		Expect(os.Mkdir(stage.Path("foreign"), 0o700)).To(Succeed())
		Expect(os.Chown(stage.Path("foreign"), 12345, 12345)).To(Succeed())
		refused(ctx, 125, `foreign`, "monitor", "--store", stage.Path("foreign"), "run", "--", "true")
	}, limit)

	It("run: a store on a read-only file system is refused", Label("read-only"), func(ctx SpecContext) {
		if readOnlyRoot() { // as on macOS, whose system volume is read-only
			refused(ctx, 125, `read-only`, "monitor", "--store", "/store", "run", "--", "true")
			return
		}
		if stage.Run("sh", "-c", "unshare -rm true").Status != (harness.Status{}) {
			Skip("no read-only file system here, and none can be made without privilege")
		}
		script := `mkdir mount && mount -t tmpfs -o ro none mount && exec monitor --store "$PWD/mount/store" run -- true`
		refused(ctx, 125, `read-only`, "unshare", "-rm", "sh", "-c", script)
	}, limit)

	It("list: a store that does not exist yet is empty", func(ctx SpecContext) {
		Expect(stage.Run("monitor", "list", "--json").Stdout).To(MatchJSON("[]"))
		Expect(stage.Run("monitor", "list", "-q")).To(Equal(harness.Result{}))
	}, limit)

	It("a damaged record is reported by name, and nothing is removed", func(ctx SpecContext) {
		alone()
		job := stage.Start(monitor.Run("damaged", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		end(ctx, "damaged", syscall.SIGKILL)
		Expect(os.WriteFile(gemini.Path("damaged", "runtime.json"), []byte("{half"), 0o600)).To(Succeed())
		Expect(stage.Run("monitor", "list").Stdout).To(MatchRegexp(`damaged +broken`))
		watch := stage.Run("monitor", "serve", "damaged")
		Expect(watch.Status).To(Equal(harness.Status{Code: 1}))
		Expect(watch.Stderr).To(ContainSubstring(`"damaged"`))
		Expect(gemini.Path("damaged")).To(BeADirectory())
		owner.Exit(0)
		job.Wait()
	}, limit)
})

// readOnlyRoot reports whether the root file system is read-only.
func readOnlyRoot() bool {
	var root syscall.Statfs_t
	const readOnly = 1 // MNT_RDONLY, ST_RDONLY
	return syscall.Statfs("/", &root) == nil && root.Flags&readOnly != 0
}
