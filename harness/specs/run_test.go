//go:build darwin || linux

package specs_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
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
	var binary string

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
		binary = filepath.Join(dir, "outsider.test")
		out, err := exec.Command("go", "test", "-c", "-o", binary, "./testdata/outsider").CombinedOutput()
		if strings.Contains(string(out), "permission denied") || strings.Contains(string(out), "cache") {
			Skip("the go command cannot be used: " + string(out))
		}
		Expect(err).NotTo(HaveOccurred(), string(out))
	})

	// start runs one test and returns its process and its output.
	start := func(test string, environment ...string) (*exec.Cmd, *console) {
		GinkgoHelper()
		cmd, out := exec.Command(binary, "-test.v", "-test.timeout=8s", "-test.run=^"+test+"$"), &console{}
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

	It("that is killed leaves no process", func() {
		cmd, out := start("TestHangs")
		pids := printed(out)
		Expect(cmd.Process.Kill()).To(Succeed())
		_ = cmd.Wait()
		for _, pid := range pids {
			Eventually(pid).ShouldNot(live())
		}
	})

	It("shows what a test leaves behind at the line that made the stage", func() {
		source, err := os.ReadFile("testdata/outsider/outsider_test.go")
		Expect(err).NotTo(HaveOccurred())
		before, _, _ := strings.Cut(string(source), "// the line that TestLeaves fails at")
		cmd, out := start("TestLeaves")
		Expect(cmd.Wait()).NotTo(Succeed())
		Expect(out.String()).To(ContainSubstring("outsider_test.go:%d: the test left something behind:\n", strings.Count(before, "\n")+1))
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

	It("keeps the stages of parallel tests apart", func() {
		cmd, out := start("TestParallel")
		Expect(cmd.Wait()).To(Succeed(), out.String())
		Expect(strings.Count(out.String(), "--- PASS: TestParallel/")).To(Equal(8))
	})
})
