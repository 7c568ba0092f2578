//go:build darwin || linux

package specs_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"
)

// A console keeps what a process writes.
type console struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (c *console) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.Write(b)
}

func (c *console) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.String()
}

// The tests of package outsider run as a process of their own, without Ginkgo. The
// compiler runs on the system of the tests only.
var _ = Describe("A run of go test", Label("linux", "sources"), Ordered, func() {
	var binary, suite string

	BeforeAll(func() {
		if _, err := exec.LookPath("go"); err != nil {
			Skip("there is no go command")
		}
		if _, err := os.Stat("testdata/outsider"); err != nil {
			Skip("the sources are elsewhere")
		}
		dir, err := os.MkdirTemp("", "outsider")
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(os.RemoveAll, dir)
		binary, suite = filepath.Join(dir, "outsider.test"), filepath.Join(dir, "_ginkgo.test")
		out, err := exec.Command("go", "test", "-c", "-tags=outsider", "-o", dir, "./testdata/outsider", "./testdata/_ginkgo").CombinedOutput()
		if strings.Contains(string(out), "permission denied") || strings.Contains(string(out), "cache") {
			Skip("the go command cannot be used: " + string(out))
		}
		Expect(err).NotTo(HaveOccurred(), string(out))
	})

	// launch starts a command and returns its process and its output.
	launch := func(cmd *exec.Cmd, environment ...string) (*exec.Cmd, *console) {
		GinkgoHelper()
		out := &console{}
		cmd.Env = append(append(os.Environ(), "HARNESS_REPORTS="+GinkgoT().TempDir(), "HARNESS_PROGRAMS="), environment...)
		cmd.Stdout, cmd.Stderr, cmd.WaitDelay = out, out, time.Second
		Expect(cmd.Start()).To(Succeed())
		DeferCleanup(func() {
			if cmd.ProcessState == nil {
				_ = cmd.Process.Kill()
				_ = cmd.Wait()
			}
		})
		return cmd, out
	}
	// start runs one test.
	start := func(test string, environment ...string) (*exec.Cmd, *console) {
		GinkgoHelper()
		return launch(exec.Command(binary, "-test.v", "-test.timeout=8s", "-test.run=^"+test+"$"), environment...)
	}

	// printed waits for the PIDs of the processes that the test started.
	printed := func(out *console) (pids []int) {
		GinkgoHelper()
		line := regexp.MustCompile(`PIDS \[([\d ]+)\]\n`)
		Eventually(out.String).Should(MatchRegexp(line.String()))
		for _, word := range strings.Fields(line.FindStringSubmatch(out.String())[1]) {
			pid, err := strconv.Atoi(word)
			Expect(err).NotTo(HaveOccurred())
			Expect(pid).To(live())
			pids = append(pids, pid)
		}
		Expect(len(pids)).To(BeNumerically(">=", 5))
		return pids
	}

	It("reports a test that hangs, and ends all that it started, when its time is over", func() {
		cmd, out := start("TestHangs")
		pids := printed(out)
		Expect(cmd.Wait()).NotTo(Succeed())
		for _, pid := range pids {
			Eventually(pid).ShouldNot(live())
		}
		Expect(out.String()).To(And(
			ContainSubstring("harness: the time of the test run (go test -timeout) ends"),
			MatchRegexp(`(?m)^ +\d+ .* sleep 88$`), MatchRegexp(`(?m)^ +\d+ .*puppet leaf`), ContainSubstring("panic: test timed out")))
	})

	It("ends a wait before its time is over, so that the test is cleared", func() {
		cmd, out := start("TestWaits")
		Expect(cmd.Wait()).NotTo(Succeed())
		Expect(out.String()).To(And(
			ContainSubstring(`job-0: expect "sleep 88" to end: the time of the test run (go test -timeout) ends`),
			ContainSubstring("--- FAIL: TestWaits"), Not(ContainSubstring("panic:"))))
	})

	DescribeTable("leaves no process and no file when it is ended by", func(by syscall.Signal, reports bool) {
		dir := GinkgoT().TempDir()
		cmd, out := start("TestHangs", "TMPDIR="+dir)
		pids := printed(out)
		Expect(cmd.Process.Signal(by)).To(Succeed())
		_ = cmd.Wait()
		Expect(cmd.ProcessState.Sys().(syscall.WaitStatus).Signal()).To(Equal(by))
		for _, pid := range pids {
			Eventually(pid).ShouldNot(live())
		}
		Eventually(os.ReadDir).WithArguments(dir).Should(BeEmpty())
		if reports {
			Expect(out.String()).To(And(
				ContainSubstring("harness: the test run gets "+unix.SignalName(by)+"\n"),
				MatchRegexp(`(?m)^ +\d+ .* sleep 88$`), MatchRegexp(`(?m)^ +\d+ .*puppet leaf`)))
		}
	},
		Entry("SIGINT", syscall.SIGINT, true),
		Entry("SIGTERM", syscall.SIGTERM, true),
		Entry("SIGKILL", syscall.SIGKILL, false),
	)

	It("removes what an earlier one has left, and nothing of one that lives", func() {
		dir := GinkgoT().TempDir()
		for _, name := range []string{"harness-1/2/stage", "harness-2/programs", "harness-of-others", "harness-3"} {
			Expect(os.MkdirAll(filepath.Join(dir, name), 0o755)).To(Succeed())
		}
		Expect(os.Chmod(filepath.Join(dir, "harness-1/2/stage"), 0o500)).To(Succeed())
		for _, name := range []string{"harness-1", "harness-2", "harness-of-others"} {
			Expect(os.WriteFile(filepath.Join(dir, name, "lock"), nil, 0o600)).To(Succeed())
		}
		lock, err := os.Open(filepath.Join(dir, "harness-2/lock"))
		Expect(err).NotTo(HaveOccurred())
		defer lock.Close()
		Expect(unix.Flock(int(lock.Fd()), unix.LOCK_EX)).To(Succeed())
		cmd, out := start("TestCoverage", "TMPDIR="+dir)
		Expect(cmd.Wait()).To(Succeed(), out.String())
		left, err := filepath.Glob(filepath.Join(dir, "*"))
		Expect(err).NotTo(HaveOccurred())
		Expect(left).To(HaveExactElements(HaveSuffix("/harness-2"), HaveSuffix("/harness-3"), HaveSuffix("/harness-of-others")))
	})

	// marked returns the numbers of the lines of a file below testdata that have a text.
	marked := func(file, text string) (numbers []int) {
		GinkgoHelper()
		source, err := os.ReadFile(filepath.Join("testdata", file))
		Expect(err).NotTo(HaveOccurred())
		for i, line := range strings.Split(string(source), "\n") {
			if strings.Contains(line, text) {
				numbers = append(numbers, i+1)
			}
		}
		return numbers
	}

	It("shows what a test leaves behind at each line that started it, before the report", func() {
		lines := marked("outsider/outsider_test.go", "// a line that TestLeaves fails at")
		cmd, out := start("TestLeaves")
		Expect(cmd.Wait()).NotTo(Succeed())
		first, rest, _ := strings.Cut(out.String(), "spec     TestLeaves\n")
		const of = `(?m)^    outsider_test.go:%[1]d: the test left something behind:\n        %[2]s \(sh -c env -i sleep 88 .*, outsider_test.go:%[1]d\) left PID \d+, .*: .*sleep 88.*$`
		Expect(first).To(MatchRegexp(of, lines[0], "run"))
		Expect(first).To(MatchRegexp(of, lines[1], "job-1"))
		Expect(strings.Count(first, "outsider_test.go:")).To(Equal(4))
		Expect(rest).To(MatchRegexp(`spec +the stage finds, after 200 ms, and kills: job-1 \(sh .*\) left PID \d+`))
	})

	It("says of a test that has failed what it leaves behind", func() {
		lines := marked("outsider/outsider_test.go", "// the line of the mention")
		cmd, out := start("TestFailsAndLeaves")
		Expect(cmd.Wait()).NotTo(Succeed())
		Expect(out.String()).To(MatchRegexp(`outsider_test.go:%d: the failed test also left something behind:\n        job-0 \(sh .*\) left PID \d+, .*: .*sleep 88.*\n`, lines[0]))
	})

	It("reports a test that panics", func() {
		line := marked("outsider/outsider_test.go", "// the line that panics")[0]
		dir := GinkgoT().TempDir()
		cmd, out := start("TestPanics", "HARNESS_REPORTS="+dir)
		Expect(cmd.Wait()).NotTo(Succeed())
		Expect(out.String()).To(And(
			MatchRegexp(`spec +FAILED by a panic at outsider_test.go:%d\n`, line), MatchRegexp(`(?m)^ +\d+ .*puppet owner`),
			ContainSubstring("--- FAIL: TestPanics"), ContainSubstring("panic: runtime error: invalid memory address")))
		Expect(filepath.Glob(filepath.Join(dir, "*", "report.txt"))).To(HaveLen(1))
	})

	It("shows what a spec of Ginkgo leaves behind with the line that started it, at the line of the stage", func() {
		at := func(text string) string {
			path, err := filepath.Abs("testdata/_ginkgo/ginkgo_test.go")
			Expect(err).NotTo(HaveOccurred())
			return fmt.Sprintf("%s:%d", path, marked("_ginkgo/ginkgo_test.go", text)[0])
		}
		cmd, out := launch(exec.Command(suite, "-ginkgo.no-color", "-ginkgo.seed=1"))
		Expect(cmd.Wait()).NotTo(Succeed())
		Expect(out.String()).To(MatchRegexp(`\[FAILED\] DeferCleanup callback returned error: the test left something behind:\n +` +
			`job-1 \(sh -c env -i .*, ` + at("// the line of Start") + `\) left PID \d+, .*: .*sleep 88.*\n +In \[DeferCleanup \(Each\)\] at: ` + at("// the line of New")))
		Expect(out.String()).To(MatchRegexp(`\[FAILED\] failed before\n`))
		Expect(out.String()).To(MatchRegexp(`left behind - .*\n +the failed test also left something behind:\n +job-0 \(sh -c .*\) left PID \d+`))
	})

	It("without Main fails with one clear line", func() {
		cmd, out := start("TestWaits", "WITHOUT_MAIN=1")
		Expect(cmd.Wait()).NotTo(Succeed())
		Expect(out.String()).To(MatchRegexp(`outsider_test.go:\d+: harness: set up the stage: TestMain does not call harness.Main\(m\), by which the test binary becomes the puppets of its tests\n`))
	})

	It("gives GOCOVERDIR to the programs of a stage", func() {
		dir := GinkgoT().TempDir()
		cmd, out := start("TestCoverage", "GOCOVERDIR="+dir)
		Expect(cmd.Wait()).To(Succeed())
		Expect(out.String()).To(ContainSubstring("DIR " + dir + "\n"))
	})

	It("builds programs with the tags of the tests", func() {
		cmd, out := start("TestTags")
		Expect(cmd.Wait()).To(Succeed(), out.String())
		Expect(out.String()).To(ContainSubstring("BUILT with the tag\n"))
	})

	It("keeps the stages of parallel tests apart", func() {
		cmd, out := start("TestParallel")
		Expect(cmd.Wait()).To(Succeed(), out.String())
		Expect(strings.Count(out.String(), "--- PASS: TestParallel/")).To(Equal(8))
	})
})
