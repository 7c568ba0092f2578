//go:build darwin || linux

package report_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

// replayVariable names the file to which the tests of TestReplayed write their names.
const replayVariable = "HARNESS_SPEC_REPLAYED"

// TestReplayed has tests that a replay line runs. Without the variable they do nothing.
func TestReplayed(t *testing.T) {
	path := os.Getenv(replayVariable)
	if path == "" {
		return
	}
	for _, name := range []string{"one", "one more", "two/three", "it's [one] | $HOME"} {
		t.Run(name, func(t *testing.T) {
			file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			stage := harness.New(t)
			fmt.Fprintf(file, "%s\n%s\n", t.Name(), replayLine(stage.Report()))
		})
	}
}

var replayPattern = regexp.MustCompile(`(?m)^replay   (.*)$`)

// replayLine returns the command that a report has.
func replayLine(report string) string {
	line := replayPattern.FindStringSubmatch(report)
	if line == nil {
		return ""
	}
	return line[1]
}

// root returns the root of the module of these specs.
func root() string {
	GinkgoHelper()
	dir, err := os.Getwd()
	Expect(err).NotTo(HaveOccurred())
	for dir != "/" {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		dir = filepath.Dir(dir)
	}
	return dir // the binary runs elsewhere: its line works anywhere
}

var _ = Describe("The replay line of a report", func() {
	It("runs one subtest of a plain test", func(ctx SpecContext) {
		path := filepath.Join(GinkgoT().TempDir(), "replayed")
		GinkgoT().Setenv(replayVariable, path)
		GinkgoT().Setenv("HARNESS_REPORTS", GinkgoT().TempDir())
		cmd := exec.CommandContext(ctx, os.Args[0], "-test.run", "^TestReplayed$")
		out, err := cmd.CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), "%s", out)
		names, lines := replayedTests(path)
		Expect(names).To(HaveLen(4))
		for _, i := range []int{0, 3} {
			Expect(lines[i]).To(ContainSubstring(replayVariable + "=" + path))
			Expect(lines[i]).NotTo(ContainSubstring("HARNESS_REPORTS="))
			Expect(os.Remove(path)).To(Succeed())
			run := exec.CommandContext(ctx, "sh", "-c", lines[i])
			run.Dir = root()
			run.Env = without(replayVariable)
			out, err := run.CombinedOutput()
			Expect(err).NotTo(HaveOccurred(), "%s\n%s", lines[i], out)
			again, _ := replayedTests(path)
			Expect(again).To(Equal(names[i:i+1]), lines[i])
		}
	}, SpecTimeout(5*time.Minute))

	It("has the variables that a suite has named", func() {
		GinkgoT().Setenv("REPLAY_COLOUR", "dark blue")
		Expect(harness.Replay(GinkgoT(), "x")).NotTo(ContainSubstring("REPLAY_COLOUR"))
		harness.ReplayEnvironment("REPLAY_")
		Expect(harness.Replay(GinkgoT(), "x", "A=it's")).To(MatchRegexp(`REPLAY_COLOUR='dark blue' .*A='it'\\''s' `))
	})

	It("has the directory of programs with its whole path", func() {
		here, err := os.Getwd()
		Expect(err).NotTo(HaveOccurred())
		GinkgoT().Setenv("HARNESS_PROGRAMS", "programs")
		Expect(harness.Replay(GinkgoT(), "x")).To(ContainSubstring("HARNESS_PROGRAMS=" + filepath.Join(here, "programs") + " "))
	})

	It("has focus and seed in a suite of Ginkgo", func() {
		Expect(harness.Replay(GinkgoT(), "a (b)$")).To(HaveSuffix(` --ginkgo.focus='a (b)$' --ginkgo.seed=%d`, GinkgoRandomSeed()))
	})
})

// replayedTests returns the names and the replay lines of the tests that ran.
func replayedTests(path string) (names, lines []string) {
	GinkgoHelper()
	text, err := os.ReadFile(path)
	Expect(err).NotTo(HaveOccurred())
	for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		if i%2 == 0 {
			names = append(names, line)
		} else {
			lines = append(lines, line)
		}
	}
	return names, lines
}

// without returns the environment without a variable.
func without(name string) (environment []string) {
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, name+"=") {
			environment = append(environment, variable)
		}
	}
	return environment
}
