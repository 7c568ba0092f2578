//go:build darwin || linux

package specs_test

import (
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
	"github.com/gemini-monitor/gemini/harness/internal/table"
)

// failing runs a test on a stage of its own, which has a short grace time, and returns the
// failure message and the report.
func failing(test func(stage *harness.Stage)) (message, report string) {
	GinkgoHelper()
	GinkgoT().Setenv("HARNESS_REPORTS", GinkgoT().TempDir())
	t := &namedT{}
	message = t.run(func() { test(harness.New(t, small, hurry)) })
	return message, t.report
}

// without returns a shell line that starts a process in the background, with an empty
// environment and with other descriptors.
func without(descriptors string) []string {
	return []string{"sh", "-c", "env -i sleep 88 >/dev/null 2>&1 " + descriptors + " &"}
}

// recluse is a perl command whose grandchild has a session of its own, no descriptor and an
// empty environment.
func recluse(seconds string) []string {
	return []string{perl(), "-MPOSIX", "-e", `exit 0 if fork; setsid; exit 0 if fork; POSIX::close($_) for 0..63; %ENV = (); exec "/bin/sleep", "` + seconds + `"`}
}

// live matches the PID of a process that has not ended. Process 1 may reap late.
func live() OmegaMatcher {
	return WithTransform(func(pid int) bool {
		row, err := table.Of(pid)
		return err == nil && row.State != 'Z'
	}, BeTrue())
}

// named returns the PIDs that a message has.
func named(message string) (pids []int) {
	for _, found := range regexp.MustCompile(`PID (\d+)`).FindAllStringSubmatch(message, -1) {
		pid, _ := strconv.Atoi(found[1])
		pids = append(pids, pid)
	}
	return pids
}

var _ = Describe("A process that a test leaves behind fails the test and is ended:", func() {
	check := func(message string) {
		GinkgoHelper()
		// It is named as what forked it where it has not reached its exec in the grace time.
		Expect(message).To(And(HavePrefix("the test left something behind:\n"), MatchRegexp(`PID \d+,.*: .*sleep\W+88`)))
		Expect(regexp.MustCompile(`PID \d+,.*: \S*sleep 88`).FindAllString(message, -1)).To(Or(BeEmpty(), HaveLen(1)), "it is named once")
		for _, pid := range named(message) { // one that made it may be in its exit
			Eventually(pid).ShouldNot(live(), "the stage has not ended it")
		}
	}

	DescribeTable("of a job,", func(words []string) {
		message, _ := failing(func(stage *harness.Stage) { stage.Start(words...).ExpectExit(0) })
		check(message)
	},
		Entry("without an environment", without("")),
		Entry("without an environment and descriptor 3", without("3>&-")),
	)

	It("of a terminal", func() {
		message, _ := failing(func(stage *harness.Stage) {
			stage.Terminal("sh", "-c", "trap '' HUP; "+without("</dev/null 3>&-")[2]).ExpectExit(0)
		})
		check(message)
	})

	It("of a command that was run to its end", func() {
		message, _ := failing(func(stage *harness.Stage) { stage.Run(without("")...) })
		check(message)
	})

	It("a daemon with a session of its own that has closed everything", Label("linux"), func() {
		message, _ := failing(func(stage *harness.Stage) { stage.Start(recluse("88")...).ExpectExit(0) })
		check(message)
	})

	It("a stopped one, which no other signal would end", func() {
		message, _ := failing(func(stage *harness.Stage) {
			job := stage.Start(without("")...)
			job.ExpectExit(0)
			Eventually(job.Members).Should(ConsistOf(HaveField("Command", "sleep 88")))
			Expect(stage.Signal(job.Members()[0].PID, syscall.SIGSTOP)).To(Succeed())
		})
		check(message)
	})
})

var _ = Describe("The report of what a test has left behind", func() {
	It("has tree and files as they were before the stage ended anything, once", func() {
		message, report := failing(func(stage *harness.Stage) {
			Expect(os.WriteFile(stage.Path("kept.txt"), nil, 0o600)).To(Succeed())
			stage.Start("sh", "-c", "puppet owner; :")
			stage.Puppet("owner")
			job := stage.Start(without("")...)
			job.ExpectExit(0)
			memberOf(job, "sleep 88")
		})
		Expect(message).To(ContainSubstring("sleep 88"))
		Expect(strings.Count(report, "processes before the stage ended any")).To(Equal(1))
		Expect(strings.Count(report, "files before the stage removed them")).To(Equal(1))
		_, before, _ := strings.Cut(report, "processes before the stage ended any\n")
		tree, files, _ := strings.Cut(before, "files before the stage removed them\n")
		Expect(tree).To(MatchRegexp(`(?m)^  \d+ .* sh -c puppet owner`), "the stage has ended it since")
		Expect(tree).To(MatchRegexp(`(?m)^     \d+ .*puppet owner$`))
		Expect(tree).To(MatchRegexp(`(?m)^  \d+ .* sleep 88$`))
		Expect(files).To(MatchRegexp(`(?m)^  -+ kept.txt$`))
		Expect(strings.Count(report, "spec     A story")).To(Equal(1), "one report")
	})

	It("is not made of a test that leaves nothing", func() {
		message, report := failing(func(stage *harness.Stage) {
			stage.Start("sh", "-c", "puppet owner; :")
			stage.Puppet("owner")
		})
		Expect(message).To(BeEmpty())
		Expect(report).To(BeEmpty())
	})

	It("comes at once after a failure, without the grace time, and what is left is ended", func() {
		var pid int
		began := time.Now()
		message, _ := failing(func(stage *harness.Stage) {
			harness.Grace(time.Hour)(stage)
			job := stage.Start(without("")...)
			job.ExpectExit(0)
			pid = job.Members()[0].PID
			job.ExpectExit(7)
		})
		Expect(message).To(And(HavePrefix("job-0: expect"), Not(ContainSubstring("left something behind"))))
		Expect(time.Since(began)).To(BeNumerically("<", time.Minute))
		Eventually(pid).ShouldNot(live())
	})
})

// On macOS launchd adopts orphans, so there "unknown" is the best answer about a process
// that keeps nothing.
var _ = Describe("A daemon that has closed everything", func() {
	It("is found or unknown", func(ctx SpecContext) {
		// No other orphan on the machine sleeps for as long. Where all that are younger than the job are
		// named, those of other specs are among them, and stay.
		seconds := strconv.Itoa(100_000 + os.Getpid())
		sleeper := "sleep " + seconds
		stage := newStage()
		job := stage.Start(recluse(seconds)...)
		job.ExpectExit(0)
		Eventually(ctx, job.Oracle().Gone()).Should(BeClosed())
		var census harness.Census
		Eventually(ctx, func(g Gomega) { // it closes everything before its exec
			census = job.Census()
			if runtime.GOOS == "linux" {
				Expect(census.Alive).To(Equal(harness.Yes), "%v", census)
			}
			Expect(census.Alive).NotTo(Equal(harness.No), "%v", census)
			g.Expect(census.String()).To(ContainSubstring(sleeper))
		}).Should(Succeed())
		var pids []int
		for _, found := range regexp.MustCompile(`(\d+) \(\S*`+sleeper+`\)`).FindAllStringSubmatch(census.Witness, -1) {
			pid, _ := strconv.Atoi(found[1])
			pids = append(pids, pid)
		}
		for _, m := range census.Members {
			if strings.HasSuffix(m.Command, sleeper) { // what forked it may be in its exit
				pids = append(pids, m.PID)
			}
		}
		for _, pid := range pids {
			Expect(stage.Signal(pid, syscall.SIGKILL)).To(Succeed())
		}
		// Where the answer may be unknown, orphans of other specs can make it so.
		Eventually(ctx, func() string { return job.Census().String() }).ShouldNot(ContainSubstring(sleeper))
		if runtime.GOOS == "linux" {
			job.ExpectNobody()
		}
	}, SpecTimeout(time.Minute))
})
