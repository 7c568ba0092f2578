//go:build darwin || linux

package report_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

// chromium returns the path of a Chromium, and skips the spec where there is none.
func chromium() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	Skip("no chromium is installed")
	return ""
}

// speedscope returns the page of the npm package speedscope, and skips the spec if
// HARNESS_SPEEDSCOPE is not the directory of the package.
func speedscope() string {
	GinkgoHelper()
	dir := os.Getenv("HARNESS_SPEEDSCOPE")
	if dir == "" {
		Skip("HARNESS_SPEEDSCOPE is not set: the directory of the npm package speedscope")
	}
	page := filepath.Join(dir, "dist", "release", "index.html")
	Expect(page).To(BeARegularFile())
	return page
}

var _ = Describe("The trace of a report, in a browser", Label("chromium"), func() {
	It("is opened by speedscope", func(ctx SpecContext) {
		browser, page := chromium(), speedscope()
		_, dir := fail(func(s *harness.Stage) { story(ctx, s) })
		load := filepath.Join(GinkgoT().TempDir(), "load.js")
		script := fmt.Sprintf("speedscope.loadFileFromBase64('trace.json', '%s')", base64.StdEncoding.EncodeToString(read(dir, "trace.json")))
		Expect(os.WriteFile(load, []byte(script), 0o644)).To(Succeed())
		cmd := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--enable-unsafe-swiftshader",
			"--user-data-dir="+GinkgoT().TempDir(), "--allow-file-access-from-files", "--enable-logging=stderr",
			"--virtual-time-budget=10000", "--dump-dom", "file://"+page+"#localProfilePath="+load)
		var log strings.Builder
		cmd.Stderr = &log
		cmd.WaitDelay = time.Second
		shown, err := cmd.Output()
		Expect(err).NotTo(HaveOccurred(), "%s", &log)
		Expect(string(shown)).To(MatchRegexp(`the test \(pid \d+\), spec \(tid \d+\)`), "the toolbar has the name of the first track")
		Expect(log.String()).To(ContainSubstring("Importing as Trace Event Format profile"))
		Expect(log.String()).NotTo(Or(ContainSubstring("Tried to end"), ContainSubstring("still open at end"), ContainSubstring("Uncaught")))
	}, SpecTimeout(2*time.Minute))
})
