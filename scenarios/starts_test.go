//go:build darwin || linux

package scenarios_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

var _ = Describe("A start", ours, func() {
	// begun reports whether the start has made something in the store.
	begun := func() bool {
		made, _ := filepath.Glob(filepath.Join(gemini.Store, "runtimes", "*"))
		staged, _ := filepath.Glob(filepath.Join(gemini.Store, "runtimes", ".new-*"))
		return len(made)+len(staged) > 0
	}

	// A signal is sent to the process group of a start, or to its process alone: what that has
	// started to get a monitor lives on then.
	group := func(job *harness.Job) int { return -job.PID() }
	process := func(job *harness.Job) int { return job.PID() }

	// each signals a start at one of many moments, from the first thing that it makes on, and
	// then checks.
	each := func(tries int, to func(*harness.Job) int, signal func(try int) syscall.Signal, check func(job *harness.Job, signal syscall.Signal)) {
		GinkgoHelper()
		for try := range tries {
			job := stage.Start(monitor.Run("nightly", "sleep", "1000")...)
			Eventually(begun).WithPolling(time.Millisecond).Should(BeTrue(), job.Output())
			spin(time.Duration(try) * 30 * time.Millisecond / time.Duration(tries))
			s := signal(try)
			_ = stage.Signal(to(job), s) // EPERM from macOS for a group of zombies (docs/xnu.md X30)
			Expect(job.Wait()).To(Equal(harness.Status{Signal: s}), job.Output())
			check(job, s)
		}
	}

	It("that is told to end at any moment ends by that signal and leaves nothing", func(ctx SpecContext) {
		signals := []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP}
		each(30, group, func(try int) syscall.Signal { return signals[try%len(signals)] }, func(job *harness.Job, _ syscall.Signal) {
			Expect(job.Output()).To(BeEmpty())
			Eventually(ctx, monitor.List).WithPolling(time.Millisecond).Should(BeEmpty())
		})
		passTime(ctx) // its monitor deletes what others have left
		expectEmptyStore(ctx)
	}, limit)

	It("that is told to quit ends by that signal, without a trace of Go's, and leaves nothing", func(ctx SpecContext) {
		for range 5 {
			job := stage.Start(monitor.Run("nightly", "sleep", "1000")...)
			Eventually(begun).WithPolling(time.Millisecond).Should(BeTrue(), job.Output())
			_ = stage.Signal(-job.PID(), syscall.SIGQUIT)
			Expect(job.Wait()).To(Equal(harness.Status{Signal: syscall.SIGQUIT}), job.Output())
			Expect(job.Output()).To(BeEmpty())
			Eventually(ctx, monitor.List).WithPolling(time.Millisecond).Should(BeEmpty())
		}
	}, limit)

	DescribeTable("that is killed at any moment leaves no name that is taken", func(ctx SpecContext, to func(*harness.Job) int) {
		kill := func(int) syscall.Signal { return syscall.SIGKILL }
		each(20, to, kill, func(*harness.Job, syscall.Signal) {
			next := stage.Run(monitor.Run("nightly", "true")...)
			Expect(next.Status).To(Equal(harness.Status{}), next.Stderr)
			Eventually(ctx, monitor.List).WithPolling(time.Millisecond).Should(BeEmpty())
		})
		passTime(ctx)
		expectEmptyStore(ctx)
	}, Entry("with its process group", limit, group), Entry("alone", limit, process))

	It("of a name that a runtime had before the machine was last started succeeds", func(ctx SpecContext) {
		alone()
		job := stage.Start(monitor.Run("nightly", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		end(ctx, "nightly", syscall.SIGKILL)
		owner.Exit(0)
		job.Wait()
		// As after a restart: the identities are those of another boot, and their PIDs
		// those of living processes.
		editJSON(gemini.Path("nightly", "runtime.json"), func(record map[string]any) {
			another := map[string]any{"pid": os.Getpid(), "start": 1, "boot": "an earlier one"}
			record["owner"], record["monitor"] = another, another
		})
		Expect(os.Truncate(gemini.Path("nightly", "journal.jsonl"), 0)).To(Succeed())
		Expect(stage.Run("monitor", "info", "nightly").Stdout).To(MatchRegexp(`state: +unmonitored\nreason: .*the next run of that name removes it`))
		next := stage.Run(monitor.Run("nightly", "echo", "started")...)
		Expect(next.Status).To(Equal(harness.Status{}), next.Stderr)
		Expect(next.Stdout).To(Equal("started\n"))
		passTime(ctx)
		expectEmptyStore(ctx)
	}, limit)

	It("of a name whose runtime has live processes and no monitor is refused, with the way out", func(ctx SpecContext) {
		alone()
		job := stage.Start(monitor.Run("nightly", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		leaf := owner.Fork("leaf", harness.OwnSession)
		Eventually(ctx, func() ([]int, error) { return gemini.Members(ctx, "nightly") }).Should(ContainElement(leaf.PID()))
		end(ctx, "nightly", syscall.SIGKILL)
		owner.Exit(0)
		job.Wait()
		next := stage.Run(monitor.Run("nightly", "echo", "started")...)
		Expect(next.Status).To(Equal(harness.Status{Code: 125}))
		Expect(next.Stdout).To(BeEmpty())
		Expect(next.Stderr).To(Equal(fmt.Sprintf(`monitor: runtime "nightly" exists already: it has live processes and no monitor: %d puppet; "monitor why nightly" shows why they count, "monitor stop nightly" ends them; "monitor serve nightly" goes on with it`+"\n", leaf.PID())))
		expectKept(ctx, "nightly", job.Oracle())
		leaf.Exit(0)
		// A process that ends has closed all before it is a zombie for the next run.
		Eventually(ctx, func() ([]int, error) { return gemini.Members(ctx, "nightly") }).Should(BeEmpty())
		Expect(stage.Run(monitor.Run("nightly", "true")...).Status).To(Equal(harness.Status{}))
		passTime(ctx)
		expectEmptyStore(ctx)
	}, limit)

	It("that dies of too few threads leaves no name that is taken", Label("linux", "root"), func(ctx SpecContext) {
		if os.Geteuid() != 0 {
			Skip("only root can start a program as another user, whose threads are counted apart")
		}
		place, err := os.MkdirTemp("", "threads-")
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func() { // the last monitor may still write its log
			Eventually(os.RemoveAll).WithArguments(place).Should(Succeed())
		})
		const user = "23458"
		asUser := `cp "$(command -v monitor)" "$0/monitor" && chmod 755 "$0" "$0/monitor" && mkdir "$0/home" && chown ` + user + ` "$0/home"`
		Expect(stage.Run("sh", "-c", asUser, place).Status).To(Equal(harness.Status{}))
		run := func(threads string) harness.Result {
			return stage.Run("setpriv", "--reuid", user, "--clear-groups", "prlimit", "--nproc="+threads, "sh", "-c",
				`cd / && exec "$0/monitor" --store "$0/home/store" run --name nightly -- true`, place)
		}
		died := 0
		for threads := 4; threads < 16; threads++ {
			if result := run(fmt.Sprint(threads)); result.Status.Code == 2 {
				Expect(result.Stderr).To(ContainSubstring("failed to create new OS thread"))
				died++
			}
			next := run("1000")
			Expect(next.Status).To(Equal(harness.Status{}), "with %d threads before: %s", threads, next.Stderr)
		}
		Expect(died).NotTo(BeZero(), "the fewest are too few")
	}, limit)
})

// spin returns when a time is over. A moment of a start is no event that can be waited
// for.
func spin(d time.Duration) {
	for begun := time.Now(); time.Since(begun) < d; {
	}
}

// editJSON edits a file of JSON.
func editJSON(path string, edit func(map[string]any)) {
	GinkgoHelper()
	text, err := os.ReadFile(path)
	Expect(err).NotTo(HaveOccurred())
	var content map[string]any
	Expect(json.Unmarshal(text, &content)).To(Succeed())
	edit(content)
	text, err = json.Marshal(content)
	Expect(err).NotTo(HaveOccurred())
	Expect(os.WriteFile(path, text, 0o600)).To(Succeed())
}
