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
			Expect(result.Stdout).To(HavePrefix("name:       inside\n"), result.Stderr)
		}
		leaf.Exit(0)
		expectRemoved(ctx, "other", other.Oracle())
		expectEmptyStore(ctx)
	}, limit)

	It("in one store is no name in another", ours, func(ctx SpecContext) {
		result := stage.Run(monitor.Run("here", "sh", "-c", `mkdir -m 700 "$0" && monitor --store "$0" info; :`, stage.Path("elsewhere"))...)
		Expect(result.Stderr).To(Equal("monitor: No active runtime\n"))
		expectEmptyStore(ctx)
	}, limit)

	It("is not needed by an orphan to find it", ours, func(ctx SpecContext) {
		// The orphan asks when its parent has ended.
		const script = `cd "$MONITOR_RUNTIME_DIR" && mkfifo gate answer || exit 9
(sh -c 'read -r x <gate; exec env -u MONITOR_RUNTIME monitor info >answer 2>&1' &)
echo >gate; cat answer`
		result := stage.Run(monitor.Run("orphan", "sh", "-c", script)...)
		Expect(result.Status).To(Equal(harness.Status{}), result.Stderr)
		Expect(result.Stdout).To(HavePrefix("name:       orphan\n"))
	}, limit)
})

var _ = Describe("A store", ours, func() {
	It("that none names is found without HOME, as under cron", func(ctx SpecContext) {
		result := stage.Run(nameless("-u", "HOME", "monitor", "list")...)
		Expect(result.Stderr).To(BeEmpty())
		Expect(result.Status).To(Equal(harness.Status{}))
	}, limit)
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
			Eventually(ctx, func() string { return stage.Run("monitor", "--store", store, "list", "-q").Stdout }).Should(BeEmpty())
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
		Expect(refused.Stderr).To(And(ContainSubstring(`red \033[31m and\ntwo \342\200\256 lines`), Not(ContainSubstring("\x1b"))))
		Expect(os.Chmod(store, 0o700)).To(Succeed())
		leaf.Exit(0)
		Expect(job.Wait()).To(Equal(harness.Status{}), job.Output())
		Eventually(ctx, func() string { return stage.Run("monitor", "--store", store, "list", "-q").Stdout }).Should(BeEmpty())
	}, limit)
})

// nameless returns a command line in whose environment nothing names the store.
func nameless(words ...string) []string {
	return append([]string{"env", "-u", "MONITOR_STORE", "-u", "XDG_STATE_HOME", "-u", "USER"}, words...)
}

var _ = Describe("No output", ours, func() {
	It("has a control character or a second line of a name in it", func(ctx SpecContext) {
		const name = "new\nline, \x1b[2J, \u009b and \u202e"
		odd := stage.Path(name)
		Expect(os.WriteFile(odd, nil, 0o600)).To(Succeed())
		store := stage.Path(name + " store")
		in := func(words ...string) []string { return append([]string{"monitor", "--store", store}, words...) }
		const script = `monitor info; monitor list; monitor tree; cat "$MONITOR_RUNTIME_DIR/../monitor.log"`
		for _, words := range [][]string{
			in("run", "--name", "odd", "--", "sh", "-c", script, name),
			in("run", "--", odd),
			in("run", "--", odd+"/missing"),
			in("run", "--", name),
			in("run", "--name", name, "--", "true"),
			in("info", name),
			in("serve", name),
			in("wait", name),
			in("tree", name),
			in("--" + name),
			in(name),
			in("list", "--log-level", name),
			in("serve", "--log-level", name, "x"),
			{"monitor", "--store", odd, "list"},
			{"monitor", "--store", odd, "run", "true"},
			{"monitor", "--store", odd + "/below", "run", "true"},
			{"env", "-u", "MONITOR_STORE", "-u", "XDG_STATE_HOME", "HOME=" + name, "monitor", "list"},
			{"env", "MONITOR_RUNTIME=" + name, "monitor", "info"},
			{"env", "SHELL=" + odd, "monitor", "shell"},
		} {
			result := stage.Run(words...)
			for _, text := range []string{result.Stdout, result.Stderr} {
				Expect(strings.ReplaceAll(text, "\n", "")).NotTo(MatchRegexp("[[:cntrl:]\u0080-\u009f\u202e]"), "%q", words)
			}
			Expect(strings.Count(result.Stderr, "\n")).To(BeNumerically("<=", 1), "%q", words)
		}
		shown := stage.Run(in("run", "--name", "odd", "--", "sh", "-c", "monitor info")...).Stdout
		Expect(shown).To(ContainSubstring(`directory:  $'` + strings.ReplaceAll(stage.Path(""), "'", `\'`)))
		Expect(strings.Count(shown, "\n")).To(Equal(10), shown)
	}, limit)
})
