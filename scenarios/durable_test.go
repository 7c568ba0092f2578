//go:build darwin || linux

package scenarios_test

import (
	"context"
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

// Durable runtimes: the directory of each has the file "notes", which its first run has written.

// durable is the command line of the first run.
func durable(name string) []string {
	return []string{"monitor", "run", "--durable", "--name", name, "--", "sh", "-c", `echo dear >"$MONITOR_RUNTIME_DIR/notes"`}
}

// stateOf returns the state in the record of a runtime. It runs no command, so nothing is
// taken over.
func stateOf(name string) (string, error) {
	text, err := os.ReadFile(gemini.Path(name, "runtime.json"))
	if err != nil {
		return "", err
	}
	var record struct{ State string }
	err = json.Unmarshal(text, &record)
	return record.State, err
}

// expectIdle waits until a runtime is idle, and checks its file.
func expectIdle(ctx context.Context, name string) {
	GinkgoHelper()
	Eventually(ctx, stateOf).WithArguments(name).Should(Equal("idle"))
	Expect(os.ReadFile(gemini.Path(name, "root", "notes"))).To(HavePrefix("dear\n"))
}

var _ = Describe("A durable runtime", ours, func() {
	for _, kind := range harness.Kinds {
		It("of a "+string(kind)+" is idle when that is left, is run again with what was in it, and goes with rm", Label("shell:"+string(kind)), func(ctx SpecContext) {
			needs(kind)
			first := stage.AtTerminal(kind, "monitor", "shell", "--durable", "--name", "work")
			first.Prompt()
			_, status := first.Run(`echo dear >"$MONITOR_RUNTIME_DIR/notes"`)
			Expect(status).To(BeZero())
			Expect(first.Exit()).To(Equal(harness.Status{}))
			expectIdle(ctx, "work")
			Expect(stage.Run(joining("work", "true")...)).To(Equal(harness.Result{
				Status: harness.Status{Code: 125},
				Stderr: "monitor: runtime \"work\" cannot be joined: it is idle; \"monitor run --name work\" runs it again\n",
			}))
			expectNoPair(ctx)
			Expect(stage.Run("monitor", "list").Stdout).To(MatchRegexp(`(?m)^work +idle +- +0 `))
			expectNoPair(ctx)

			second := stage.AtTerminal(kind, monitor.Shell("work")...)
			second.Prompt()
			output, status := second.Run(`cat "$MONITOR_RUNTIME_DIR/notes"`)
			Expect(status).To(BeZero())
			Expect(output).To(Equal("dear\n"))
			Expect(stage.Run("monitor", "rm", "work")).To(Equal(harness.Result{
				Status: harness.Status{Code: 1},
				Stderr: "monitor: runtime \"work\" is not removed: it is running with 1 member; end it first with 'monitor stop work'\n",
			}))
			expectKept(ctx, "work", second.Oracle())
			Expect(second.Exit()).To(Equal(harness.Status{}))
			expectIdle(ctx, "work")

			Expect(stage.Run("monitor", "rm", "work")).To(Equal(harness.Result{}))
			expectEmptyStore(ctx)
			expectNoPair(ctx)
		}, limit)
	}

	It("stays while an orphan lives, and is waited for and stopped like any other", func(ctx SpecContext) {
		stage.Start(durable("work")...).ExpectExit(0)
		expectIdle(ctx, "work")
		again := stage.Start(monitor.Run("work", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		leaf := owner.DoubleFork("leaf", harness.OwnSession)
		owner.Exit(0)
		Expect(again.Wait()).To(Equal(harness.Status{}))
		wait := stage.Start("monitor", "wait", "--log-level", "debug", "work")
		wait.Expect("msg=waiting")
		expectWaiting(ctx, wait)
		Expect(stateOf("work")).To(Equal("running"))
		Expect(leaf.Report().PID).To(Equal(leaf.PID()))
		Expect(stage.Run("monitor", "stop", "work")).To(Equal(harness.Result{}))
		Expect(wait.Wait()).To(Equal(harness.Status{}), wait.Output())
		expectIdle(ctx, "work")
		Expect(stage.Run("monitor", "wait", "work")).To(And(
			HaveField("Status", harness.Status{Code: 3}), HaveField("Stderr", MatchRegexp(`^monitor: runtime "work" is idle since \S+\n$`))))
		Expect(stage.Run("monitor", "stop", "work")).To(Equal(harness.Result{}), "there is nothing to stop")
		Expect(stage.Run("monitor", "list", "--all").Stdout).To(MatchRegexp(`(?s)\nwork +\S+ \S+ +ended .*\nwork +\S+ \S+ +stop `))
	}, limit)

	It("gives run --wait the status of the command, and has an on-empty command each time it is asked for", func(ctx SpecContext) {
		stage.Start(durable("work")...).ExpectExit(0)
		expectIdle(ctx, "work")
		for _, code := range []int{3, 4} {
			result := stage.Run("monitor", "run", "--wait", "--name", "work", "--on-empty", `echo again >>"$MONITOR_RUNTIME_DIR/notes"`, "--", "sh", "-c", fmt.Sprint("exit ", code))
			Expect(result.Status).To(Equal(harness.Status{Code: code}), result.Stderr)
			Expect(stateOf("work")).To(Equal("idle"))
		}
		Expect(os.ReadFile(gemini.Path("work", "root", "notes"))).To(Equal([]byte("dear\nagain\nagain\n")))
		Expect(stage.Run("monitor", "run", "--name", "work", "--timeout", "0.1", "--", "sleep", "1000").Status).To(Equal(harness.Status{Code: 124}))
		expectIdle(ctx, "work")
	}, limit)

	It("needs no resident monitor", func(ctx SpecContext) {
		alone()
		stage.Start(durable("work")...).ExpectExit(0)
		expectIdle(ctx, "work")
		for _, name := range []string{"second", "third"} {
			job := stage.Start(monitor.Run("work", "puppet", name)...)
			owner := stage.Puppet(name)
			own := monitorOf(ctx, "work")
			if name == "third" {
				Expect(stage.Signal(own, syscall.SIGKILL)).To(Succeed())
			}
			owner.Exit(0)
			job.ExpectExit(0) // while it exits, it is a live process of the runtime
			Eventually(ctx, func() error { return syscall.Kill(own, 0) }).Should(MatchError(syscall.ESRCH))
			if name == "second" {
				expectIdle(ctx, "work")
			}
		}
		// Its monitor was killed, and no resident goes on: the next run does.
		Expect(stage.Run("monitor", "list").Stdout).To(MatchRegexp(`(?m)^work +unmonitored `))
		stage.Start(monitor.Run("work", "true")...).ExpectExit(0)
		expectIdle(ctx, "work")
		Eventually(ctx, gemini.Path("work", "monitor.sock")).ShouldNot(BeAnExistingFile())
		last := stage.Start(monitor.Run("work", "puppet", "fourth")...)
		owner := stage.Puppet("fourth")
		end(ctx, "work", syscall.SIGKILL)
		owner.Exit(0)
		last.ExpectExit(0)
		Expect(stage.Run("monitor", "rm", "work")).To(Equal(harness.Result{}))
		expectEmptyStore(ctx)
	}, limit)

	It("is told by the commands that tell of runtimes", func(ctx SpecContext) {
		stage.Start(durable("work")...).ExpectExit(0)
		expectIdle(ctx, "work")
		for _, c := range []struct{ command, output string }{
			{"info work", `(?s)^name: +work\nstate: +idle\n.*which has ended\n.*\ndurable: +since .*\nidle_since: `},
			{"why work", `^runtime "work" is idle: .*\nmonitor rm work removes it\n$`},
			{"tree work", `^$`},
			{"list -q --state idle", `^work\n$`},
			{"prune", `^work: idle\n$`},
		} {
			result := stage.Run("sh", "-c", "monitor "+c.command)
			Expect(result.Status).To(Equal(harness.Status{}), c.command)
			Expect(result.Stdout).To(MatchRegexp(c.output), c.command)
		}
		// A monitor writes its log after the record.
		Eventually(ctx, func() harness.Result { return stage.Run("monitor", "logs", "work") }).Should(And(
			HaveField("Status", harness.Status{}), HaveField("Stdout", MatchRegexp(`msg=idle\n$`))))
		Expect(stage.Run("monitor", "serve", "work")).To(And(
			HaveField("Status", harness.Status{Code: 1}), HaveField("Stderr", "monitor: runtime \"work\" is idle: there is nothing to watch\n")))
		expectNoPair(ctx)
	}, limit)

	It("is idle after a restart of the machine, whatever it was before", func(ctx SpecContext) {
		stage.Start(durable("work")...).ExpectExit(0)
		expectIdle(ctx, "work")
		for _, state := range []string{"starting", "running", "unknown", "stopping"} {
			// The identities are those of another boot, and their PIDs are of processes that live.
			editJSON(gemini.Path("work", "runtime.json"), func(record map[string]any) {
				another := map[string]any{"pid": os.Getpid(), "start": 1, "boot": "an earlier one"}
				record["state"], record["owner"], record["monitor"] = state, another, another
				delete(record, "idle_since")
			})
			// The resident may not have done with the runtime before, which had the same owner.
			Eventually(ctx, func() string { return stage.Run("monitor", "list").Stdout }).Should(MatchRegexp(`(?m)^work +(running|idle) `))
			expectIdle(ctx, "work")
		}
		Expect(stage.Run("monitor", "run", "--name", "work", "--", "sh", "-c", `cat "$MONITOR_RUNTIME_DIR/notes"`).Stdout).To(Equal("dear\n"))
		expectIdle(ctx, "work")
	}, limit)

	It("loses nothing where its monitors are killed while it runs, and while it is about to be idle", func(ctx SpecContext) {
		stage.Start(durable("work")...).ExpectExit(0)
		expectIdle(ctx, "work")
		for round := range 4 {
			name := fmt.Sprint("owner-", round)
			stage.Start(monitor.Run("work", "puppet", name)...)
			owner := stage.Puppet(name)
			pair := expectPair(ctx)
			if round%2 == 0 {
				fell(ctx, pair.Guard, pair.Resident)
				owner.Exit(0) // unseen
			} else {
				owner.Exit(0)
				for _, pid := range []int{pair.Guard, pair.Resident} {
					_ = stage.Signal(pid, syscall.SIGKILL) // it may have ended
				}
			}
			Expect(filepath.Join(gemini.Path("work", "root"), "notes")).To(BeAnExistingFile())
			Eventually(ctx, func() string { return stage.Run("monitor", "list").Stdout }).Should(MatchRegexp(`(?m)^work +idle `))
			expectIdle(ctx, "work")
		}
		var past []struct{ Name string }
		Expect(json.Unmarshal([]byte(stage.Run("monitor", "list", "--all", "--json").Stdout), &past)).To(Succeed())
		Expect(past).To(HaveLen(1+5), "the runtime, and its runs, each once")
	}, limit)

	It("is idle, with its file, whenever the run is killed that would run it again", func(ctx SpecContext) {
		stage.Start(durable("work")...).ExpectExit(0)
		expectIdle(ctx, "work")
		// The later a run is killed, the farther it has come.
		result := stage.Run("sh", "-c", `i=0; while [ $((i += 1)) -le 20 ]; do
				monitor run --name work -- true 2>/dev/null & pid=$!
				j=0; while [ $((j += 1)) -le $((i * 400)) ]; do :; done
				kill -9 $pid 2>/dev/null
				wait $pid 2>/dev/null
				[ -f "$MONITOR_STORE/runtimes/work/root/notes" ] || echo "lost after $i"
			done`)
		Expect(result.Stdout).To(BeEmpty())
		Eventually(ctx, func() string { return stage.Run("monitor", "list").Stdout }).Should(MatchRegexp(`(?m)^work +idle `))
		expectIdle(ctx, "work")
		stage.Start(monitor.Run("work", "true")...).ExpectExit(0)
		expectIdle(ctx, "work")
		Eventually(ctx, gemini.Files).Should(HaveLen(1))
	}, limit)

	It("is run again by one of 50 at once", func(ctx SpecContext) {
		stage.Start(durable("work")...).ExpectExit(0)
		expectIdle(ctx, "work")
		job := stage.Start("sh", "-c", `i=0; while [ $((i += 1)) -le 50 ]; do
				(monitor run --name work -- puppet owner 2>/dev/null; echo "$?") &
			done; wait`)
		owner := stage.Puppet("owner")
		Eventually(ctx, job.Output).WithTimeout(time.Minute).Should(Equal(repeated("125\n", 49)))
		owner.Exit(0)
		Expect(job.Wait()).To(Equal(harness.Status{}))
		Expect(job.Output()).To(Equal(repeated("125\n", 49) + "0\n"))
		expectIdle(ctx, "work")
	}, limit)

	It("is one of 50 that are idle, run again at once, and removed at once, and idle ones cost no process", func(ctx SpecContext) {
		all := func(how string) harness.Result {
			return stage.Run("sh", "-c", `i=0; while [ $((i += 1)) -le 50 ]; do
					monitor run `+how+` --name work-$i -- sh -c 'echo dear >>"$MONITOR_RUNTIME_DIR/notes"' &
				done; wait`)
		}
		for _, how := range []string{"--durable", ""} {
			Expect(all(how)).To(Equal(harness.Result{}))
			for i := range 50 {
				expectIdle(ctx, fmt.Sprint("work-", i+1))
			}
			expectNoPair(ctx)
		}
		Expect(os.ReadFile(gemini.Path("work-50", "root", "notes"))).To(Equal([]byte("dear\ndear\n")))
		Expect(stage.Run("monitor", "rm", "--all")).To(Equal(harness.Result{}))
		expectEmptyStore(ctx)
	}, limit)
})

var _ = Describe("monitor rm", ours, func() {
	It("removes what is idle, names what is not, and goes on", func(ctx SpecContext) {
		stage.Start(durable("one")...).ExpectExit(0)
		stage.Start(durable("two")...).ExpectExit(0)
		expectIdle(ctx, "one")
		expectIdle(ctx, "two")
		job := stage.Start(monitor.Run("living", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		Expect(stage.Run("monitor", "rm", "one", "living", "none", "two")).To(Equal(harness.Result{
			Status: harness.Status{Code: 1},
			Stderr: "monitor: runtime \"living\" is not removed: it is running with 1 member; it goes when it is empty, and 'monitor stop living' ends it; " +
				"runtime \"none\" does not exist\n",
		}))
		Eventually(ctx, gemini.Files).Should(Equal([]string{gemini.Path("living")}))
		owner.Exit(0)
		expectRemoved(ctx, "living", job.Oracle())
	}, limit)

	It("stops what lives where it is forced to", func(ctx SpecContext) {
		stage.Start("monitor", "run", "--durable", "--name", "work", "--", "puppet", "owner")
		stage.Puppet("owner")
		Expect(stage.Run("monitor", "rm", "--force", "work", "none")).To(Equal(harness.Result{}))
		expectEmptyStore(ctx)
	}, limit)

	It("removes one whose monitor has died, when that is taken over", func(ctx SpecContext) {
		job := stage.Start("monitor", "run", "--durable", "--name", "work", "--", "puppet", "owner")
		owner := stage.Puppet("owner")
		pair := expectPair(ctx)
		fell(ctx, pair.Guard, pair.Resident)
		owner.Exit(0)     // unseen
		job.ExpectExit(0) // while it exits, it is a live process of the runtime
		Expect(stage.Run("monitor", "rm", "work")).To(Equal(harness.Result{}))
		expectEmptyStore(ctx)
	}, limit)
})

// repeated returns a line a number of times.
func repeated(line string, times int) (text string) {
	for range times {
		text += line
	}
	return text
}
