//go:build darwin || linux

package scenarios_test

import (
	"fmt"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

var _ = Describe("A command in a runtime", func() {
	It("is the process that was started to run it", func(ctx SpecContext) {
		before := []string{"sh", "-c", `echo "$PPID"; exec "$@"`, "sh"}
		job := stage.Start(append(before, monitor.Run("place", "puppet", "owner")...)...)
		owner := stage.Puppet("owner").Report()
		Expect(owner.PID).To(Equal(job.PID()), "run becomes the command by exec")
		Expect(fmt.Sprintln(owner.Parent)).To(Equal(job.Output()))
		Expect(owner.Group).To(Equal(job.PID()))
	}, limit)

	It("passes on its exit status", func(ctx SpecContext) {
		for _, code := range []int{0, 1, 42, 125, 255} {
			name := fmt.Sprintf("code-%d", code)
			job := stage.Start(monitor.Run(name, "sh", "-c", fmt.Sprintf("exit %d", code))...)
			Expect(job.Wait()).To(Equal(harness.Status{Code: code}))
			expectRemoved(ctx, name, job.Oracle())
		}
		expectEmptyStore(ctx)
	}, limit)

	DescribeTable("dies by the signal it was sent", func(ctx SpecContext, signal syscall.Signal) {
		job := stage.Start(monitor.Run("killed", "puppet", "owner")...)
		stage.Puppet("owner")
		job.Signal(signal)
		Expect(job.Wait()).To(Equal(harness.Status{Signal: signal}))
		expectRemoved(ctx, "killed", job.Oracle())
	},
		Entry("interrupt", syscall.SIGINT, limit),
		Entry("terminate", syscall.SIGTERM, limit),
		Entry("hang-up", syscall.SIGHUP, limit),
		Entry("kill", syscall.SIGKILL, limit),
	)

	It("can be read by $( ) in each shell, which continues at its end", func(ctx SpecContext) {
		for _, kind := range harness.Kinds {
			if _, err := kind.Path(); err != nil {
				continue
			}
			sh := stage.Shell(kind)
			output, status := sh.Run("x=$(" + typed(monitor.Run("read-"+string(kind), "echo", "inside")) + `); echo "<$x>"`)
			Expect(output).To(Equal("<inside>\n"))
			Expect(status).To(Equal(0))
			output, _ = sh.Run(typed(monitor.Run("piped-"+string(kind), "printf", `a\nb\n`)) + " | sort -r")
			Expect(output).To(Equal("b\na\n"))
		}
		expectEmptyStore(ctx)
	}, limit)

	It("shares no descriptor with its monitor", func(ctx SpecContext) {
		// The oracle is one: the command closes it, so only a monitor could hold it.
		stage.Start("puppet", "outside")
		outside := stage.Puppet("outside")
		job := stage.Start(monitor.Run("open", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		leaf := owner.Fork("leaf")
		owner.CloseInherited()
		leaf.CloseInherited()
		Eventually(ctx, job.Oracle().Gone()).Should(BeClosed(), "the monitor holds the command's descriptor 3")
		Expect(listed(ctx, "open")).To(BeTrue(), "the runtime was removed while its command lives, which has closed all it inherited")
		outside.Exit(0)
	}, limit)

	It("shares no descriptor with its monitor, whatever number it has", func(ctx SpecContext) {
		needs(harness.Bash)
		stage.Start("puppet", "outside")
		outside := stage.Puppet("outside")
		moved := append([]string{"bash", "-c", `exec 200>&3 3>&- && exec "$@"`, "bash"}, monitor.Run("open", "puppet", "owner")...)
		job := stage.Start(moved...)
		owner := stage.Puppet("owner")
		owner.CloseInherited()
		Eventually(ctx, job.Oracle().Gone()).Should(BeClosed(), "the monitor holds the command's descriptor 200")
		Expect(listed(ctx, "open")).To(BeTrue(), "the runtime was removed while its command lives, which has closed all it inherited")
		outside.Exit(0)
	}, limit)

	It("leaves no process behind when its runtime is removed, its monitor included", ours, func(ctx SpecContext) {
		stage.CrossCheck()
		job := stage.Start(monitor.Run("clean", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		Expect(job.Witnesses()).To(And(HaveField("Pipe", true), HaveField("Lock", true)))
		owner.Exit(0)
		expectRemoved(ctx, "clean", job.Oracle())
		Eventually(ctx, func() bool { // a process leaves the cgroup of the job only by its end
			seen := job.Witnesses()
			return seen.Pipe || seen.Lock || seen.Cgroup != nil && *seen.Cgroup
		}).Should(BeFalse())
	}, limit)

	It("knows its runtime by its environment and by its ancestry", ours, func(ctx SpecContext) {
		sh := stage.AtTerminal(harness.Sh, monitor.Shell("known")...)
		sh.Prompt()
		output, _ := sh.Run(`echo "$MONITOR_RUNTIME $MONITOR_RUNTIME_DIR"; ls -d "$MONITOR_RUNTIME_DIR"`)
		root := gemini.Path("known", "root")
		Expect(output).To(Equal("known " + root + "\n" + root + "\n"))
		for _, ask := range []string{"monitor info", "env -u MONITOR_RUNTIME -u MONITOR_RUNTIME_DIR monitor info"} {
			output, status := sh.Run(ask)
			Expect(status).To(Equal(0), output)
			Expect(output).To(ContainSubstring("known"))
		}
		sh.Exit()
		expectRemoved(ctx, "known", sh.Oracle())
	}, limit)

	It("may exec any number of times", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("images", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		for range 20 {
			owner.ExecSelf()
		}
		expectKept(ctx, "images", job.Oracle())
		owner.Exit(0)
		expectRemoved(ctx, "images", job.Oracle())
	}, limit)

	It("leaves no file of its runtime's directory, whatever it put there", ours, func(ctx SpecContext) {
		outside := stage.Path("outside")
		script := `cd "$MONITOR_RUNTIME_DIR" && mkdir -p a/b && echo text > a/b/file && echo keep > "$0" &&
			ln -s "$0" link && ln -s "$(dirname "$0")" a/up && chmod 500 a/b a && chmod 400 a/b/file 2>/dev/null; :`
		job := stage.Start(monitor.Run("files", "sh", "-c", script, outside)...)
		Expect(job.Wait()).To(Equal(harness.Status{}), job.Output())
		expectRemoved(ctx, "files", job.Oracle())
		expectEmptyStore(ctx)
		Expect(outside).To(BeARegularFile(), "the clean-up followed a link out of the runtime")
	}, limit)
})

var _ = Describe("monitor wait", ours, func() {
	It("returns when a process and all its descendants have ended", func(ctx SpecContext) {
		job := stage.Start("puppet", "root")
		root := stage.Puppet("root")
		leaf := root.Fork("leaf", harness.OwnSession)
		wait := stage.Start("monitor", "wait", "--log-level", "debug", fmt.Sprint(root.PID()))
		wait.Expect("msg=waiting")
		expectWaiting(ctx, wait)
		root.Exit(0)
		job.Wait()
		expectWaiting(ctx, wait)
		Expect(leaf.Report().PID).To(Equal(leaf.PID()))
		leaf.Exit(0)
		Expect(wait.Wait()).To(Equal(harness.Status{}), wait.Output())
	}, limit)
})

var _ = Describe("monitor tree", ours, func() {
	It("draws the members of a runtime and the descendants of a process", func(ctx SpecContext) {
		stage.Start(monitor.Run("drawn", "puppet", "root")...)
		root := stage.Puppet("root")
		leaf := root.Fork("leaf", harness.OwnGroup)
		for _, subject := range []string{"drawn", fmt.Sprint(root.PID())} {
			Eventually(ctx, func() string { return stage.Run("monitor", "tree", subject).Stdout }).Should(
				And(ContainSubstring(fmt.Sprint(root.PID())), ContainSubstring(fmt.Sprint(leaf.PID()))))
		}
	}, limit)
})

// expectWaiting checks that a waiting job has not ended after some time.
func expectWaiting(ctx SpecContext, wait *harness.Job) {
	GinkgoHelper()
	passTime(ctx)
	Expect(wait.Exited()).NotTo(BeClosed(), "it returned early: %s", wait.Output())
}
