//go:build darwin || linux

package scenarios_test

import (
	"context"
	"strconv"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

var _ = Describe("The resident monitor of a store", ours, func() {
	// manyStart has 50 starts at once agree on a resident.
	manyStart := func(ctx context.Context) {
		GinkgoHelper()
		const count = 50
		job := stage.Command("sh", "-c", `exec 5<&0; i=0; while [ $((i += 1)) -le "$0" ]; do
				monitor run --name many-$i -- cat <&5 || echo "many-$i: exit status $?" &
			done; wait`, strconv.Itoa(count)).Pipe().Start()
		Eventually(ctx, gemini.Monitors).Should(And(HaveLen(count), Not(ContainElement(0))), job.Output())
		pair := expectPair(ctx)
		Expect(gemini.Monitors()).To(HaveEach(pair.Resident))
		Expect(pair.Runtimes).To(Equal(count))
		job.CloseInput()
		Expect(job.Wait()).To(Equal(harness.Status{}))
		Expect(job.Output()).To(BeEmpty())
		expectEmptyStore(ctx)
		expectNoPair(ctx)
		Expect(residentFiles()).To(ConsistOf("resident.lock", "resident.log"))
	}

	It("is one, with one guard, for 50 starts at once", func(ctx SpecContext) {
		manyStart(ctx)
	}, limit)

	It("is one, with one guard, for 50 starts at once, 200 times in an empty store", Label("stress"), func(ctx SpecContext) {
		for i := range 200 {
			moveTo(stage.Path("store-" + strconv.Itoa(i)))
			manyStart(ctx)
		}
	}, SpecTimeout(20*time.Minute))

	It("is one, whenever the command that starts it is killed", func(ctx SpecContext) {
		const tries = 12
		for try := range tries {
			job := stage.Start(monitor.Run("first", "sleep", "1000")...)
			spin(time.Duration(try) * 24 * time.Millisecond / tries)
			_ = stage.Signal(-job.PID(), syscall.SIGKILL) // EPERM from macOS for a group of zombies (docs/xnu.md X30)
			job.Wait()
			next := stage.Run(monitor.Run("next", "echo", "ran")...)
			Expect(next).To(Equal(harness.Result{Stdout: "ran\n"}))
			Eventually(ctx, monitor.List).Should(BeEmpty())
		}
		expectEmptyStore(ctx)
		expectNoPair(ctx)
	}, limit)

	It("stays for the next one as long as MONITOR_IDLE says, and ends by itself then", func(ctx SpecContext) {
		stage.Setenv("MONITOR_IDLE", "1h")
		passTime(ctx)
		first := expectPair(ctx)
		passTime(ctx)
		Expect(expectPair(ctx)).To(HaveField("Resident", first.Resident))
		dismiss(ctx)
		Expect(residentFiles()).To(ConsistOf("resident.lock", "resident.log"))

		stage.Setenv("MONITOR_IDLE", "50ms")
		passTime(ctx)
		expectNoPair(ctx)
	}, limit)

	DescribeTable("is not started where MONITOR_IDLE is", func(ctx SpecContext, idle string) {
		stage.Setenv("MONITOR_IDLE", idle)
		run := stage.Run(monitor.Run("idle", "echo", "ran")...)
		Expect(run).To(Equal(harness.Result{
			Status: harness.Status{Code: 125}, Stderr: "monitor: MONITOR_IDLE takes a time such as 10s, not " + strconv.Quote(idle) + "\n",
		}))
		expectNoPair(ctx)
	},
		Entry("no time", limit, "soon"),
		Entry("negative", limit, "-1s"),
	)

	It("is not started by a command that finds nothing without a monitor", func(ctx SpecContext) {
		stage.Setenv("MONITOR_IDLE", "1h")
		for _, words := range []string{"list", "prune", "info none"} {
			stage.Run(append([]string{"monitor"}, strings.Fields(words)...)...)
			Expect(residentFiles()).To(BeEmpty(), "after %q", words)
		}
		expectNoPair(ctx)
	}, limit)
})

var _ = Describe("The resident monitor holds nothing of the job that starts it", ours, func() {
	BeforeEach(func() {
		stage.Setenv("MONITOR_IDLE", "1h") // it is there when the job has ended
	})

	DescribeTable("and a script goes on", func(ctx SpecContext, script string) {
		needs(harness.Bash) // which has descriptors from 10 up
		job := stage.Start("bash", "-c", script)
		Expect(job.Wait()).To(Equal(harness.Status{}), job.Output())
		Eventually(ctx, job.Oracle().Gone()).Should(BeClosed(), "descriptor 3 is open")
		dismiss(ctx)
	},
		Entry("after a command substitution", limit, `x=$(monitor run -- echo ran) && test "$x" = ran`),
		Entry("after a pipeline", limit, `set -o pipefail; monitor run -- echo ran | cat`),
		Entry("after a pipeline of errors", limit, `{ monitor run -- true 2>&1 >/dev/null; } | cat`),
		Entry("with many descriptors open", limit, many+`exec monitor run -- true`),
		Entry("under nohup", limit, `nohup monitor run -- true >/dev/null`),
		Entry("from a directory that was removed", limit, `mkdir gone && cd gone && rmdir ../gone && monitor run -- true`),
	)

	It("and its terminal is free", func(ctx SpecContext) {
		sh := stage.Shell(harness.Sh)
		_, status := sh.Run("monitor run -- true")
		Expect(status).To(BeZero())
		pair := expectPair(ctx)
		for _, pid := range []int{pair.Resident, pair.Guard} {
			Expect(stage.Run("ps", "-o", "tty=", "-p", strconv.Itoa(pid)).Stdout).To(MatchRegexp(`^\?+ *\n$`))
			group, err := syscall.Getpgid(pid)
			Expect(err).NotTo(HaveOccurred())
			Expect(group).NotTo(Equal(sh.PID()))
		}
		sh.Exit()
		Eventually(ctx, sh.Oracle().Gone()).Should(BeClosed())
		Expect(expectPair(ctx)).To(HaveField("Resident", pair.Resident))
		dismiss(ctx)
	}, limit)
})

// many opens the oracle at more descriptors. It is gone when no process has any.
var many = func() string {
	var script strings.Builder
	for fd := 4; fd <= 20; fd++ {
		script.WriteString("exec " + strconv.Itoa(fd) + ">&3; ")
	}
	return script.String()
}()
