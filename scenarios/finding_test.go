//go:build darwin || linux

package scenarios_test

import (
	"os"
	"path/filepath"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

var _ = Describe("The name of a runtime in the environment", func() {
	It("of a command that is in none does not keep it from one of its own", func(ctx SpecContext) {
		job := stage.Command(monitor.Run("own", "puppet", "leaf")...).Env("MONITOR_RUNTIME", "gone").Start()
		leaf := stage.Puppet("leaf")
		expectKept(ctx, "own", job.Oracle())
		leaf.Exit(0)
		expectRemoved(ctx, "own", job.Oracle())
	}, limit)

	It("makes no process a member, and is no error when it is stale", ours, func(ctx SpecContext) {
		job := stage.Start(monitor.Run("named", "puppet", "leaf")...)
		leaf := stage.Puppet("leaf")
		none := harness.Status{Code: 1}
		for _, name := range []string{"named", "gone"} {
			result := stage.Run("env", "MONITOR_RUNTIME="+name, "monitor", "info")
			Expect(result.Stderr).To(Equal("monitor: No active runtime\n"))
			Expect(result.Status).To(Equal(none))
		}
		leaf.Exit(0)
		expectRemoved(ctx, "named", job.Oracle())
	}, limit)

	It("does not hide the one that a process is in", ours, func(ctx SpecContext) {
		other := stage.Start(monitor.Run("other", "puppet", "leaf")...)
		leaf := stage.Puppet("leaf")
		for _, name := range []string{"other", "gone"} {
			result := stage.Run(monitor.Run("inside", "env", "MONITOR_RUNTIME="+name, "sh", "-c", "monitor info; :")...)
			Expect(result.Stdout).To(HavePrefix("name:      inside\n"), result.Stderr)
		}
		leaf.Exit(0)
		expectRemoved(ctx, "other", other.Oracle())
		expectEmptyStore(ctx)
	}, limit)

	It("in one store is no name in another", ours, func(ctx SpecContext) {
		result := stage.Run(monitor.Run("here", "sh", "-c", `monitor --store "$0" info; :`, stage.Path("elsewhere"))...)
		Expect(result.Stderr).To(Equal("monitor: No active runtime\n"))
		expectEmptyStore(ctx)
	}, limit)
})

var _ = Describe("A store", ours, func() {
	It("is its user's alone, and usable, whatever the umask takes away", func(ctx SpecContext) {
		for _, umask := range []string{"0777", "0077", "0"} {
			store := stage.Path("store-" + umask)
			job := stage.Start("sh", "-c", `umask "$0" && exec monitor --store "$1" run --name masked -- puppet "$2"`, umask, store, "leaf-"+umask)
			leaf := stage.Puppet("leaf-" + umask)
			modes := map[string]os.FileMode{}
			Expect(filepath.Walk(store, func(path string, info os.FileInfo, err error) error {
				modes[path] = info.Mode().Perm()
				return err
			})).To(Succeed())
			Expect(len(modes)).To(BeNumerically(">", 8))
			for path, mode := range modes {
				info, err := os.Stat(path)
				if err != nil {
					continue // a file that was being written
				}
				usual := os.FileMode(0o600)
				if info.IsDir() {
					usual = 0o700
				}
				Expect(mode).To(Equal(usual), "%s with umask %s", path, umask)
			}
			leaf.Exit(0)
			Expect(job.Wait()).To(Equal(harness.Status{}), job.Output())
			Eventually(ctx, func() string { return stage.Run("monitor", "--store", store, "list").Stdout }).Should(BeEmpty())
		}
	}, limit)

	It("is left alone by programs that delete what is old and no other process has locked", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("old", "puppet", "leaf")...)
		leaf := stage.Puppet("leaf")
		dir, err := os.Open(gemini.Path("old"))
		Expect(err).NotTo(HaveOccurred())
		defer dir.Close()
		// As systemd-tmpfiles asks (tmpfiles.d(5)).
		Expect(syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)).To(MatchError(syscall.EWOULDBLOCK))
		Expect(os.Remove(filepath.Join(gemini.Store, "trash"))).To(Succeed(), "an old and empty directory goes")
		leaf.Exit(0)
		expectRemoved(ctx, "old", job.Oracle())
		expectEmptyStore(ctx)
	}, limit)

	It("with a name that is not printable is shown in printable characters", func(ctx SpecContext) {
		store := stage.Path("red \x1b[31m and\ntwo \u202e lines")
		job := stage.Start("monitor", "--store", store, "run", "--name", "odd", "--", "puppet", "leaf")
		leaf := stage.Puppet("leaf")
		info := stage.Run("monitor", "--store", store, "info", "odd")
		Expect(info.Stdout).To(ContainSubstring(`red \033[31m and\ntwo \342\200\256 lines/runtimes/odd/root`))
		Expect(info.Stdout).NotTo(ContainSubstring("\x1b"))
		Expect(os.Chmod(store, 0o777)).To(Succeed())
		refused := stage.Run("monitor", "--store", store, "list")
		Expect(refused.Stderr).To(And(ContainSubstring(`red \033[31m and; two \342\200\256 lines`), Not(ContainSubstring("\x1b"))))
		Expect(os.Chmod(store, 0o700)).To(Succeed())
		leaf.Exit(0)
		Expect(job.Wait()).To(Equal(harness.Status{}), job.Output())
		Eventually(ctx, func() string { return stage.Run("monitor", "--store", store, "list").Stdout }).Should(BeEmpty())
	}, limit)
})
