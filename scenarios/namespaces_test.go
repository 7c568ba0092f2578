//go:build linux

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

// Containers are made of namespaces. A process in a namespace of its own has other PIDs
// or other files there, and is a descendant like any other.
var _ = Describe("An orphan", Label("linux", "namespaces"), func() {
	It("in a mount namespace of its own keeps the runtime", func(ctx SpecContext) {
		namespace(ctx)
		job := stage.Start(monitor.Run("mounts", "sh", "-c", "unshare --mount puppet leaf &")...)
		leaf := stage.Puppet("leaf")
		job.Wait()
		expectKept(ctx, "mounts", job.Oracle())
		leaf.Exit(0)
		expectRemoved(ctx, "mounts", job.Oracle())
	}, limit)

	It("that is the init of a PID namespace keeps the runtime", func(ctx SpecContext) {
		namespace(ctx)
		makeFIFO("gate")
		job := stage.Start(monitor.Run("pids", "sh", "-c", "unshare --pid --fork setsid cat "+stage.Path("gate")+" &")...)
		gate := openGate(ctx, "gate")
		job.Wait()
		expectKept(ctx, "pids", job.Oracle())
		Expect(gate.Close()).To(Succeed())
		expectRemoved(ctx, "pids", job.Oracle())
	}, limit)
})

var _ = Describe("In a container", Label("linux", "namespaces"), func() {
	It("a runtime lives and ends as elsewhere", func(ctx SpecContext) {
		namespace(ctx)
		makeFIFO("gate")
		// The init of the namespace lives on after the runtime.
		inside := "(setsid cat " + stage.Path("gate") + " &); exit"
		container := append(unshare[:len(unshare):len(unshare)], "sh", "-c", `"$@"; sleep 1000`, "init")
		job := stage.Start(append(container, monitor.Run("contained", "sh", "-c", inside)...)...)
		gate := openGate(ctx, "gate")
		expectKept(ctx, "contained", job.Oracle())
		Expect(gate.Close()).To(Succeed())
		expectRemoved(ctx, "contained", noProcess{})
	}, limit)

	It("a runtime lives and ends as elsewhere, beside one outside", Label("containers"), func(ctx SpecContext) {
		namespace(ctx)
		outer := stage.Start(monitor.Run("outside", "puppet", "outside")...)
		outside := stage.Puppet("outside")
		makeFIFO("gate")
		// The init of the namespace lives on after the runtime.
		inside := "(setsid cat " + stage.Path("gate") + " &); exit"
		container := append(unshare[:len(unshare):len(unshare)], "sh", "-c", `"$@"; sleep 1000`, "init")
		job := stage.Start(append(container, monitor.Run("contained", "sh", "-c", inside)...)...)
		gate := openGate(ctx, "gate")
		expectKept(ctx, "contained", job.Oracle())
		Expect(gate.Close()).To(Succeed())
		expectRemoved(ctx, "contained", noProcess{})
		expectKept(ctx, "outside", outer.Oracle())
		outside.Exit(0)
		expectRemoved(ctx, "outside", outer.Oracle())
	}, limit)

	It("without a /proc of its own no runtime is made, because /proc has other PIDs", ours, func(ctx SpecContext) {
		namespace(ctx)
		run := stage.Run(append([]string{"unshare", "--pid", "--fork"}, monitor.Run("blind", "echo", "ran")...)...)
		Expect(run.Status).To(Equal(harness.Status{Code: 125}))
		Expect(run.Stdout).To(BeEmpty())
		Expect(run.Stderr).To(MatchRegexp(`^monitor: .*/proc shows another PID namespace.*\n$`))
		expectEmptyStore(ctx)
	}, limit)

	It("a runtime whose owner is the init ends with the container, and the next command removes it", ours, func(ctx SpecContext) {
		namespace(ctx)
		seeingAll()
		alone() // else the list has the runtime removed
		makeFIFO("gate")
		job := stage.Start(append(unshare[:len(unshare):len(unshare)], monitor.Run("init", "cat", stage.Path("gate"))...)...)
		gate := openGate(ctx, "gate")
		expectKept(ctx, "init", job.Oracle())
		Expect(gate.Close()).To(Succeed())
		Expect(job.Wait()).To(Equal(harness.Status{}))
		// At the end of its init the kernel kills all processes of a namespace, the
		// monitor included, before it reports the end.
		Expect(monitor.List(ctx)).To(ConsistOf("init"))
		next := stage.Run("monitor", "serve", "init")
		Expect(next.Status).To(Equal(harness.Status{}), next.Stderr)
		expectRemoved(ctx, "init", job.Oracle())
	}, limit)
})

// In another namespace a PID and a start time belong to another process or to none. A
// living owner looks there like a dead one whose PID is free.
var _ = Describe("From inside other namespaces than its own a runtime", Label("linux", "namespaces"), ours, func() {
	DescribeTable("is unknown: info reports that, and watch refuses and removes nothing",
		func(ctx SpecContext, elsewhere ...string) {
			alone()
			namespace(ctx)
			if result := stage.Run(append(elsewhere, "true")...); result.Status != (harness.Status{}) {
				Skip("no such namespace can be made: " + strings.TrimSpace(result.Stderr))
			}
			job := stage.Start(monitor.Run("outside", "puppet", "owner")...)
			owner := stage.Puppet("owner")
			owner.CloseInherited() // the lease is free then
			end(ctx, "outside", syscall.SIGKILL)

			info := stage.Run(append(elsewhere, "monitor", "info", "outside")...)
			Expect(info.Status).To(Equal(harness.Status{}), info.Stderr)
			Expect(info.Stdout).To(MatchRegexp(`state: +unknown\nreason: +.*process %d was recorded in another namespace`, owner.PID()))
			watch := stage.Run(append(elsewhere, "monitor", "serve", "outside")...)
			Expect(watch.Status).To(Equal(harness.Status{Code: 1}), watch.Stderr)
			Expect(watch.Stderr).To(ContainSubstring("recorded in another namespace"))
			expectKept(ctx, "outside", witnessOf(owner))

			owner.Exit(0)
			job.Wait()
			next := stage.Run("monitor", "serve", "outside")
			Expect(next.Status).To(Equal(harness.Status{}), next.Stderr)
			expectEmptyStore(ctx)
		},
		Entry("a PID namespace", limit, "unshare", "--pid", "--fork", "--kill-child", "--mount-proc"),
		Entry("a time namespace", limit, "unshare", "--time", "--boottime", "100000", "--fork", "--kill-child"),
	)

	It("of a container is unknown as long as the container lives", Label("initial-namespaces"), func(ctx SpecContext) {
		namespace(ctx)
		seeingAll()
		needs(harness.Bash)
		makeFIFO("gate")
		alone()
		// The owner closes the lease and kills its monitor.
		script := `exec 100>&-
			pid=$(monitor info | sed -n 's/^monitor: *//p')
			kill -KILL $pid
			while kill -0 $pid; do :; done 2>/dev/null
			cat "$0"; exit`
		container := append(unshare[:len(unshare):len(unshare)], "sh", "-c", `"$@" & sleep 1000`, "init")
		job := stage.Start(append(container, monitor.Run("contained", "bash", "-c", script, stage.Path("gate"))...)...)
		gate := openGate(ctx, "gate")
		watch := stage.Run("monitor", "serve", "contained")
		Expect(watch.Status).To(Equal(harness.Status{Code: 1}), watch.Stderr)
		Expect(watch.Stderr).To(ContainSubstring("recorded in another namespace"))
		expectKept(ctx, "contained", job.Oracle())

		Expect(stage.Signal(job.PID(), syscall.SIGKILL)).To(Succeed())
		job.Wait()
		Expect(gate.Close()).To(Succeed())
		Eventually(ctx, func() harness.Status {
			return stage.Run("monitor", "serve", "contained").Status
		}).Should(Equal(harness.Status{}), "no process is in the container")
		expectEmptyStore(ctx)
	}, limit)
})

// seeingAll skips the spec in a container: there a process that has ended cannot be
// distinguished from one in an outer namespace.
func seeingAll() {
	own, err := os.Readlink("/proc/self/ns/pid")
	Expect(err).NotTo(HaveOccurred())
	if own != "pid:[4026531836]" { // PROC_PID_INIT_INO, include/uapi/linux/nsfs.h
		Skip("only from the initial PID namespace can all others be seen")
	}
}

var _ = Describe("Where a file system ignores case", Label("linux", "namespaces"), ours, func() {
	It("another spelling of its name finds a runtime, and does not report it as broken", func(ctx SpecContext) {
		namespace(ctx)
		// A mount that only this command sees gives one directory two names, in place of
		// such a file system.
		store := stage.Path("store")
		job := stage.Start(monitor.Run("demo", "puppet", "leaf")...)
		leaf := stage.Puppet("leaf")
		look := `mkdir "$1/runtimes/DEMO" && mount --bind "$1/runtimes/demo" "$1/runtimes/DEMO" && monitor info DEMO; rmdir "$1/runtimes/DEMO"`
		result := stage.Run("unshare", "--mount", "sh", "-c", look, "sh", store)
		Expect(result.Stdout).To(MatchRegexp(`(?m)^name: +demo$\n^state: +running$`), result.Stderr)
		leaf.Exit(0)
		expectRemoved(ctx, "demo", job.Oracle())
	}, limit)
})

// Where /proc hides the processes of other users, what it does not list may live all the
// same.
var _ = Describe("Where /proc hides processes", Label("linux", "namespaces"), ours, func() {
	DescribeTable("a runtime is kept while a child lives that became another user's and closed its lease",
		func(ctx SpecContext, hidepid string) {
			namespace(ctx)
			needs(harness.Bash)
			makeFIFO("gate")
			script := hiddenChild()
			// The init shows what is hidden; the monitor is root without any right, and not in root's
			// group, to which nothing is hidden.
			inside := `mount -t proc -o hidepid=$0 proc /proc && setpriv --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all "$@"; sleep 1000`
			container := []string{"unshare", "--pid", "--fork", "--kill-child", "--mount", "sh", "-c", inside, hidepid}
			job := stage.Start(append(container, monitor.Run("hidden", "bash", "-c", script, stage.Path("other"))...)...)
			gate := openGate(ctx, "gate")
			log := func() (string, error) {
				text, err := os.ReadFile(stage.Path("store", "runtimes", "hidden", "monitor.log"))
				return string(text), err
			}
			expectKept(ctx, "hidden", job.Oracle())
			Expect(gate.Close()).To(Succeed())
			// That it has ended now is not known either.
			Eventually(ctx, log).Should(MatchRegexp(`state=unknown reason=".*/proc .*hides`))
			expectKept(ctx, "hidden", job.Oracle())

			Expect(stage.Signal(job.PID(), syscall.SIGKILL)).To(Succeed())
			job.Wait()
			Eventually(ctx, func() harness.Status { return stage.Run("monitor", "serve", "hidden").Status }).Should(Equal(harness.Status{}))
			expectEmptyStore(ctx)
		},
		Entry("hidepid=1: its row", limit, "1"),
		Entry("hidepid=2: its PID", limit, "2"),
	)

	DescribeTable("a process finds its runtime, though ancestors are hidden, with its lease and without",
		func(ctx SpecContext, hidepid string) {
			namespace(ctx)
			needs(harness.Bash)
			// The init of the namespace is hidden.
			inside := `mount -t proc -o hidepid=$0 proc /proc && setpriv --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all "$@"; exit`
			container := []string{"unshare", "--pid", "--fork", "--kill-child", "--mount", "sh", "-c", inside, hidepid}
			run := monitor.Run("seen", "bash", "-c", "monitor info; exec 100>&-; monitor info; env -u MONITOR_RUNTIME monitor info; exit")
			result := stage.Run(append(container, run...)...)
			Expect(result.Stderr).To(BeEmpty())
			Expect(strings.Count(result.Stdout, "name:       seen\n")).To(Equal(3), result.Stdout)
			// The monitor may have been killed with the namespace.
			stage.Run("monitor", "serve", "seen")
			expectEmptyStore(ctx)
		},
		Entry("hidepid=1: their rows", limit, "1"),
		Entry("hidepid=2: their PIDs", limit, "2"),
	)

	DescribeTable("a runtime ends with such a child, where process 1 is of the monitor's user and shows its children",
		func(ctx SpecContext, hidepid string) {
			namespace(ctx)
			needs(harness.Bash)
			makeFIFO("gate")
			makeFIFO("end")
			script := hiddenChild()
			// The init never waits for the child.
			inside := `mount -t proc -o hidepid=$0 proc /proc && exec setpriv --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all sh -c '"$@"; exec cat ` + stage.Path("end") + `' init "$@"`
			container := []string{"unshare", "--pid", "--fork", "--kill-child", "--mount", "sh", "-c", inside, hidepid}
			job := stage.Start(append(container, monitor.Run("hidden", "bash", "-c", script, stage.Path("other"))...)...)
			gate := openGate(ctx, "gate")
			end := openGate(ctx, "end") // when the command has ended
			expectKept(ctx, "hidden", job.Oracle())
			Expect(gate.Close()).To(Succeed())
			expectRemoved(ctx, "hidden", noProcess{})
			Expect(end.Close()).To(Succeed())
			Expect(job.Wait()).To(Equal(harness.Status{}), job.Output())
		},
		Entry("hidepid=1: its row", limit, "1"),
		Entry("hidepid=2: its PID", limit, "2"),
		Entry("hidepid=4: its PID, also from root's group", limit, "4"),
	)
})

// hiddenChild returns a script of bash whose child becomes another user's, by the program
// that is $0, closes the lease and lives until the gate is closed.
func hiddenChild() (script string) {
	other := stage.Path("other")
	program, err := os.ReadFile("/bin/cat")
	Expect(err).NotTo(HaveOccurred())
	Expect(os.WriteFile(other, program, 0o755)).To(Succeed())
	Expect(os.Chown(other, 65534, 65534)).To(Succeed())
	Expect(os.Chmod(other, 0o755|os.ModeSetuid)).To(Succeed())
	// The gate is open before the child is made, which else would wait for it unhidden.
	return "exec 9<" + stage.Path("gate") + `; "$0" <&9 9<&- 100>&- & exec 9<&-; sleep .05; exit`
}

var _ = Describe("Where /proc shows processes only", Label("linux", "namespaces"), ours, func() {
	It("no runtime is made, and the error says why", func(ctx SpecContext) {
		namespace(ctx)
		mount := []string{"unshare", "--mount", "sh", "-c", `mount -t proc -o subset=pid proc /proc && exec "$@"`, "sh"}
		if result := stage.Run(append(mount, "true")...); result.Status != (harness.Status{}) {
			Skip("no such /proc can be mounted: " + strings.TrimSpace(result.Stderr))
		}
		run := stage.Run(append(mount, monitor.Run("blind", "echo", "ran")...)...)
		Expect(run.Status).To(Equal(harness.Status{Code: 125}))
		Expect(run.Stdout).To(BeEmpty())
		Expect(run.Stderr).To(MatchRegexp(`^monitor: .*subset=pid.*\n$`))
		expectEmptyStore(ctx)
	}, limit)
})

var _ = Describe("In a time namespace with an offset", Label("linux", "namespaces"), ours, func() {
	It("a member lives on in the journal of a monitor that was killed", func(ctx SpecContext) {
		namespace(ctx)
		alone()
		clock := []string{"unshare", "--time", "--monotonic", "100000", "--fork", "--kill-child"}
		if result := stage.Run(append(clock, "true")...); result.Status != (harness.Status{}) {
			Skip("no such namespace can be made: " + strings.TrimSpace(result.Stderr))
		}
		job := stage.Start(append(clock, monitor.Run("clock", "puppet", "owner")...)...)
		owner := stage.Puppet("owner")
		owner.CloseInherited()
		leaf := owner.Fork("leaf")
		expectKept(ctx, "clock", witnessOf(leaf)) // and is in the journal by now
		end(ctx, "clock", syscall.SIGKILL)

		owner.Exit(0) // nothing but the journal links the leaf now
		job.Wait()
		there := []string{"nsenter", "--time=/proc/" + strconv.Itoa(leaf.PID()) + "/ns/time"}
		watch := stage.Start(append(there, "monitor", "serve", "clock")...)
		Eventually(ctx, func() string { return stage.Run(append(there, "monitor", "info", "clock")...).Stdout }).
			Should(And(MatchRegexp(`state: +running`), MatchRegexp(`members: +1`)))
		expectKept(ctx, "clock", witnessOf(leaf))
		leaf.Exit(0)
		Expect(watch.Wait()).To(Equal(harness.Status{}), watch.Output())
		expectEmptyStore(ctx)
	}, limit)
})

var _ = Describe("In a user namespace", Label("linux", "namespaces"), ours, func() {
	It("a runtime is watched without the proc connector, and the log says why", func(ctx SpecContext) {
		namespace(ctx)
		own := []string{"unshare", "--user", "--map-root-user"}
		if result := stage.Run(append(own, "true")...); result.Status != (harness.Status{}) {
			Skip("no such namespace can be made: " + strings.TrimSpace(result.Stderr))
		}
		job := stage.Start(append(own, monitor.Run("mapped", "puppet", "owner")...)...)
		owner := stage.Puppet("owner")
		text, err := os.ReadFile(stage.Path("store", "runtimes", "mapped", "monitor.log"))
		Expect(err).NotTo(HaveOccurred())
		Expect(string(text)).To(MatchRegexp(`refused" reason="proc connector: .* user:\[\d+\]`))
		owner.Exit(0)
		Expect(job.Wait()).To(Equal(harness.Status{}), job.Output())
		expectRemoved(ctx, "mapped", job.Oracle())
	}, limit)
})
