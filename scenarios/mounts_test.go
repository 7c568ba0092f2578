//go:build darwin || linux

package scenarios_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

// mounting skips the spec where nothing can be mounted in a mount namespace.
func mounting() {
	GinkgoHelper()
	if os.Geteuid() != 0 {
		Skip("it takes root to mount")
	}
	if result, err := stage.TryRun("unshare", "--mount", "true"); err != nil || result.Status != (harness.Status{}) {
		Skip("no mount namespace can be made here")
	}
}

// precious makes a directory that is no runtime's, with a file in it.
func precious() (dir, file string) {
	GinkgoHelper()
	dir, file = stage.Path("precious"), stage.Path("precious", "file")
	Expect(os.Mkdir(dir, 0o700)).To(Succeed())
	Expect(os.WriteFile(file, []byte("dear"), 0o600)).To(Succeed())
	return dir, file
}

// startMounting runs a command in a mount namespace, which only it and its monitor see.
// The function that it returns unmounts what the command has mounted at the path in the
// file "point". While a monitor looks at what is there, as one that sweeps does, the kernel
// refuses that.
func startMounting(argv []string) (job *harness.Job, unmount func()) {
	GinkgoHelper()
	script := `"$@" && echo ended && read -r go && until umount "$(cat point)"; do :; done && echo unmounted && read -r go`
	job = stage.Command(append([]string{"unshare", "--mount", "sh", "-c", script, "sh"}, argv...)...).Pipe().Start()
	job.Expect("ended\n")
	return job, func() {
		GinkgoHelper()
		job.Write("\n")
		job.Expect("unmounted\n")
	}
}

var _ = Describe("What is mounted in the directory of a runtime", Label("mounts"), func() {
	It("is not deleted with it", func(ctx SpecContext) {
		mounting()
		dir, file := precious()
		script := `point=$(find "$MONITOR_STORE" -type d -name mounted | head -n 1)/m
			[ "$point" != /m ] && mkdir "$point" && echo "$point" >point && mount --bind "$1" "$point"`
		job, unmount := startMounting(monitor.Run("mounted", "sh", "-c", script, "sh", dir))
		passTime(ctx)
		Expect(file).To(BeARegularFile(), "deleted through the mount")
		unmount()
		passTime(ctx)
		Expect(file).To(BeARegularFile())
		job.Write("\n")
		job.ExpectExit(0)
	}, limit)
})

var _ = Describe("A runtime in which a file system is mounted", Label("mounts"), ours, func() {
	DescribeTable("stays, stopping and with the mount point named, until that is unmounted",
		func(ctx SpecContext, mount string) {
			mounting()
			dir, file := precious()
			script := `mkdir "$MONITOR_RUNTIME_DIR/m" && point=$MONITOR_RUNTIME_DIR/m && ` + mount + ` && printf '%s\n' "$point" >point`
			job, unmount := startMounting(monitor.Run("mounted", "sh", "-c", script, "sh", dir))
			Eventually(ctx, func() string { return stage.Run("monitor", "info", "mounted").Stdout }).Should(MatchRegexp(
				`state: +stopping\nreason: +.*/mounted/root(/.*)?: a file system is mounted there; unmount it\n`))
			Expect(stage.Run("monitor", "list").Stdout).To(MatchRegexp(`mounted +stopping .* a file system is mounted there; unmount it\n`))
			point, err := os.ReadFile(stage.Path("point"))
			Expect(err).NotTo(HaveOccurred())
			Expect(stage.Run("monitor", "info", "mounted").Stdout).To(ContainSubstring(strings.TrimSpace(string(point)) + ": a file"))

			Expect(file).To(BeARegularFile())
			unmount()
			expectEmptyStore(ctx)
			Expect(file).To(BeARegularFile())
			job.Write("\n")
			job.ExpectExit(0)
		},
		Entry("a directory of the same file system", limit, `mount --bind "$1" "$point"`),
		Entry("a file of the same file system", limit, `point=$MONITOR_RUNTIME_DIR/f && : >"$point" && mount --bind "$1/file" "$point"`),
		Entry("a file system of its own", limit, `mount -t tmpfs none "$point"`),
		Entry("at the runtime's own directory", limit, `point=$MONITOR_RUNTIME_DIR && mount --bind "$1" "$point"`),
		Entry("at a path with a blank and a backslash", limit, `point=$MONITOR_RUNTIME_DIR/'a \b' && mkdir "$point" && mount --bind "$1" "$point"`),
	)

	It("where it is to be moved to stays, stopping, until that is unmounted, and nothing there is deleted", func(ctx SpecContext) {
		mounting()
		dir, file := precious()
		old := stage.Path("precious", "old", "root", "deep")
		Expect(os.MkdirAll(old, 0o700)).To(Succeed())
		script := `point=$MONITOR_STORE/trash && mount --bind "$1" "$point" && printf '%s\n' "$point" >point`
		job, unmount := startMounting(monitor.Run("mounted", "sh", "-c", script, "sh", dir))
		Eventually(ctx, func() string { return stage.Run("monitor", "list").Stdout }).Should(MatchRegexp(
			`mounted +stopping .*/runtimes or .*/trash: a file system is mounted there; unmount it\n`))
		stage.Start(monitor.Run("other", "true")...).ExpectExit(0) // its monitor sweeps
		unmount()
		expectEmptyStore(ctx)
		Expect(file).To(BeARegularFile())
		Expect(old).To(BeADirectory())
		job.Write("\n")
		job.ExpectExit(0)
	}, limit)

	It("in the trash, that another monitor sweeps, loses nothing", func(ctx SpecContext) {
		mounting()
		_, file := precious()
		Expect(os.Mkdir(stage.Path("precious", "root"), 0o700)).To(Succeed())
		beside := stage.Path("precious", "root", "file")
		Expect(os.WriteFile(beside, nil, 0o600)).To(Succeed())
		// The mount ends with the namespace, so all is done in one shell. No monitor may sweep
		// the mount point away before: the store is made here.
		const script = `mkdir -m 700 -p "$MONITOR_STORE" "$MONITOR_STORE/trash" "$MONITOR_STORE/trash/old-1" &&
mount --bind precious "$MONITOR_STORE/trash/old-1" && "$@"`
		result := stage.Run(append([]string{"unshare", "--mount", "sh", "-c", script, "sh"}, monitor.Run("mounted", "true")...)...)
		Expect(result.Status).To(Equal(harness.Status{}), result.Stderr)
		passTime(ctx)
		Expect(file).To(BeARegularFile())
		Expect(beside).To(BeARegularFile())
		Expect(os.RemoveAll(filepath.Join(gemini.Store, "trash", "old-1"))).To(Succeed())
		expectEmptyStore(ctx)
	}, limit)

	It("that nothing watches any more is removed by the next monitor", func(ctx SpecContext) {
		mounting()
		alone()
		dir, file := precious()
		script := `point=$MONITOR_RUNTIME_DIR && mount --bind "$1" "$point" && printf '%s\n' "$point" >point`
		job, unmount := startMounting(monitor.Run("mounted", "sh", "-c", script, "sh", dir))
		Eventually(ctx, func() string { return stage.Run("monitor", "list").Stdout }).Should(ContainSubstring("stopping"))
		end(ctx, "mounted", syscall.SIGKILL)
		Eventually(ctx, func() string { return stage.Run("monitor", "list").Stdout }).Should(ContainSubstring("unmonitored"))
		unmount()
		Expect(stage.Run("monitor", "serve", "mounted").Status).To(Equal(harness.Status{}))
		expectEmptyStore(ctx)
		Expect(file).To(BeARegularFile())
		job.Write("\n")
		job.ExpectExit(0)
	}, limit)
})
