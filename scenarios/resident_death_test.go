//go:build darwin || linux

package scenarios_test

import (
	"os"
	"path/filepath"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
	"github.com/gemini-monitor/gemini/scenarios/internal/monitors"
)

var _ = Describe("Killed while it watches", ours, func() {
	resident := func(p monitors.Pair) []int { return []int{p.Resident} }
	guard := func(p monitors.Pair) []int { return []int{p.Guard} }
	for _, count := range []int{1, 50} {
		DescribeTable("a process of the resident monitor is there again at once, and no runtime notices", func(ctx SpecContext, gap bool, victims func(monitors.Pair) []int) {
			c := startCrowd(count)
			before := expectPair(ctx)
			c.expectWatchedBy(ctx, before.Resident)
			dead := victims(before)
			fell(ctx, dead...)
			after := expectPair(ctx)
			for _, pid := range dead {
				Expect([]int{after.Resident, after.Guard}).NotTo(ContainElement(pid))
			}
			c.expectWatchedBy(ctx, after.Resident)
			journalled := map[string]int{"joined": 1}
			if gap {
				journalled["unwatched"] = 1
			}
			for _, name := range c.names {
				Expect(events(name)).To(Equal(journalled), name)
			}
			c.leave(ctx, count/2)
			c.leave(ctx, len(c.names))
			expectNoPair(ctx)
		},
			Entry("the resident, of "+runtimes(count), limit, true, resident),
			Entry("the guard, of "+runtimes(count), limit, false, guard),
		)
	}

	DescribeTable("both go, the runtimes stay, and the next command of any kind has them watched again", func(ctx SpecContext, said string, words ...string) {
		c := startCrowd(3)
		pair := expectPair(ctx)
		c.expectWatchedBy(ctx, pair.Resident)
		killed := time.Now()
		fell(ctx, pair.Guard, pair.Resident)
		c.owners[0].Exit(0) // unseen
		Expect(gemini.Processes()).To(BeEmpty())
		Expect(gemini.Monitors()).To(HaveLen(3))

		// It waits for the resident for 2 s. On a busy machine it may be later.
		Eventually(ctx, func() harness.Result { return stage.Run(words...) }).Should(And(
			HaveField("Status", harness.Status{}), HaveField("Stderr", ""), HaveField("Stdout", MatchRegexp(said))))
		c.names, c.owners = c.names[1:], c.owners[1:]
		after := expectPair(ctx)
		Expect(after.Resident).NotTo(Equal(pair.Resident))
		c.expectWatchedBy(ctx, after.Resident)
		for _, name := range c.names {
			Expect(events(name)).To(Equal(map[string]int{"joined": 1, "unwatched": 1}))
			for _, e := range gemini.Journal(name) {
				if e.Event == "unwatched" {
					Expect(e.Time).To(BeTemporally(">", killed))
					Expect(*e.Since).To(BeTemporally("<", e.Time))
				}
			}
		}
		c.expectKept(ctx)
		c.leave(ctx, 2)
		expectNoPair(ctx)
	},
		Entry("list", limit, `(?m)^crowd-2 +running `, "monitor", "list"),
		Entry("info", limit, `(?m)^state: +running$`, "monitor", "info", "crowd-2"),
		Entry("tree", limit, ``, "monitor", "tree", "crowd-2"),
		Entry("run", limit, `^ran\n$`, "monitor", "run", "--", "echo", "ran"),
		Entry("prune", limit, `^crowd-1: taken over\ncrowd-2: taken over\ncrowd-3: taken over\n$`, "monitor", "prune"),
	)

	DescribeTable("both, one after the other at once, there is one pair in the end", func(ctx SpecContext, tries int, order func(monitors.Pair) []int) {
		c := startCrowd(1)
		for range tries {
			pair := expectPair(ctx)
			for _, pid := range order(pair) {
				_ = stage.Signal(pid, syscall.SIGKILL) // the other may have ended
			}
			Eventually(ctx, func() error { return syscall.Kill(pair.Resident, 0) }).Should(MatchError(syscall.ESRCH))
			Expect(monitor.List(ctx)).To(Equal(c.names))
			c.expectWatchedBy(ctx, expectPair(ctx).Resident)
		}
		c.expectKept(ctx)
		c.leave(ctx, 1)
		expectNoPair(ctx)
	},
		Entry("the resident first", limit, 3, func(p monitors.Pair) []int { return []int{p.Resident, p.Guard} }),
		Entry("the guard first", limit, 3, func(p monitors.Pair) []int { return []int{p.Guard, p.Resident} }),
		Entry("the resident first, often", SpecTimeout(10*time.Minute), Label("stress"), 100, func(p monitors.Pair) []int { return []int{p.Resident, p.Guard} }),
		Entry("the guard first, often", SpecTimeout(10*time.Minute), Label("stress"), 100, func(p monitors.Pair) []int { return []int{p.Guard, p.Resident} }),
	)

	It("again and again, it loses none of 15 runtimes that begin and end meanwhile, and removes none early", func(ctx SpecContext) {
		c := startCrowd(1) // the resident stays
		// While the command runs, a process of the runtime lives. Its child looks too, and
		// outlives it at times.
		look := `look() { n=0; while [ $((n += 1)) -le 20 ]; do [ -d "$MONITOR_RUNTIME_DIR" ] || { echo "$MONITOR_RUNTIME: early"; exit; }; /bin/echo >/dev/null; done; }; `
		job := stage.Start("sh", "-c", `round() {
				monitor run --name brief-$1 -- sh -c "$0 (look) & look" || echo "brief-$1: exit status $?"
			}
			i=0; while [ $((i += 1)) -le 15 ]; do (round $i; [ $i -gt 5 ] || round $i-again) & done; wait`, look)
		pair := expectPair(ctx)
		for _, victim := range []func(monitors.Pair) []int{resident, guard, resident, guard} {
			fell(ctx, victim(pair)...)
			pair = expectPair(ctx)
		}
		Expect(job.Wait()).To(Equal(harness.Status{}))
		Expect(job.Output()).To(BeEmpty())
		c.expectWatchedBy(ctx, pair.Resident)
		c.leave(ctx, 1)
		expectNoPair(ctx)
	}, limit)
})

func runtimes(count int) string {
	if count == 1 {
		return "one runtime"
	}
	return "fifty"
}

var _ = Describe("Where the resident monitor cannot live", ours, func() {
	It("its guard gives up, the next command tells so once, and tries again", func(ctx SpecContext) {
		c := startCrowd(1)
		failed := filepath.Join(gemini.Store, "resident.failed")
		var deaths []time.Time
		for pair := expectPair(ctx); !exists(failed); {
			if n := len(deaths); n >= 6 { // on a busy machine
				Expect(time.Since(deaths[n-6])).To(BeNumerically(">=", time.Minute), "the guard goes on after six deaths within a minute")
			}
			deaths = append(deaths, time.Now())
			fell(ctx, pair.Resident)
			Eventually(ctx, func() bool {
				now, err := gemini.Pair(ctx)
				again := err == nil && now.Resident != pair.Resident
				if again {
					pair = now
				}
				return again || exists(failed)
			}).Should(BeTrue())
		}
		Expect(len(deaths)).To(BeNumerically(">=", 6))
		expectNoPair(ctx)

		next := stage.Run("monitor", "list")
		Expect(next.Stderr).To(MatchRegexp(`^monitor: the resident monitor died 6 times within 1m0s, the last time at [^\n]*; its log is [^\n]*/resident\.log\n$`))
		again := stage.Run("monitor", "list")
		Expect(again.Stderr).To(BeEmpty())
		// It waits for the resident for 2 s. On a busy machine it may be later.
		Eventually(ctx, func() string { return stage.Run("monitor", "list").Stdout }).Should(MatchRegexp(`(?m)^crowd-1 +running `))
		c.expectWatchedBy(ctx, expectPair(ctx).Resident)
		c.leave(ctx, 1)
		expectNoPair(ctx)
	}, limit)

	It("because its socket has no place, runtimes get monitors of their own, and their logs say why", func(ctx SpecContext) {
		Expect(os.MkdirAll(gemini.Socket(), 0o700)).To(Succeed())
		c := startCrowd(2)
		Expect(gemini.Processes()).To(BeEmpty())
		found, err := gemini.Monitors()
		Expect(err).NotTo(HaveOccurred())
		Expect(found["crowd-1"]).NotTo(Equal(found["crowd-2"]))
		for _, name := range c.names {
			Expect(gemini.Log(name)).To(ContainSubstring("the runtime gets a monitor of its own"))
			Expect(gemini.Log(name)).To(ContainSubstring("resident.sock"))
		}
		c.leave(ctx, 1)
		c.leave(ctx, 1)
		Expect(gemini.Socket()).To(BeADirectory())
	}, limit)

	It("because it has too few descriptors for all, the others get monitors of their own", Label("native"), func(ctx SpecContext) {
		if os.Getenv("HARNESS_EXEC") != "" {
			Skip("the program that runs the monitor needs descriptors as well")
		}
		job := stage.Start("sh", "-c", "ulimit -n 48 && exec monitor run --name few -- puppet few")
		few := stage.Puppet("few")
		pair := expectPair(ctx)
		c := startCrowd(20)
		Expect(expectPair(ctx)).To(HaveField("Resident", pair.Resident))
		found, err := gemini.Monitors()
		Expect(err).NotTo(HaveOccurred())
		Expect(found).To(HaveLen(21))
		Expect(found).NotTo(HaveEach(pair.Resident), "48 descriptors are enough: the spec proves nothing")
		few.Exit(0)
		expectRemoved(ctx, "few", job.Oracle())
		c.leave(ctx, 20)
		expectNoPair(ctx)
	}, limit)
})
