//go:build darwin || linux

package specs_test

import (
	"os"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

var _ = Describe("A stage", func() {
	It("has its own home, directory and environment, and removes them", func(ctx SpecContext) {
		t := &quietT{}
		var dir string
		Expect(t.run(func() {
			stage := harness.New(t, small)
			dir = stage.Path()
			Expect(os.ReadDir(dir)).To(BeEmpty(), "the harness has its own files elsewhere")
			stage.Setenv("COLOUR", "blue")
			result := stage.Run("sh", "-c", `pwd; echo "$HOME $COLOUR $LC_ALL $TERM $USER"; echo problem >&2; exit 3`)
			t.message = result.Stdout + result.Stderr + result.Status.String()
			Expect(os.Mkdir(stage.Path("locked"), 0o500)).To(Succeed())
		})).To(Equal(dir + "\n" + filepath.Join(filepath.Dir(dir), "home") + " blue C dumb \nproblem\nexit 3"))
		Expect(dir).NotTo(BeADirectory())
	}, SpecTimeout(time.Minute))

	It("reports a process that does not end when all others have, and ends it", func(ctx SpecContext) {
		t := &quietT{}
		message := t.run(func() {
			stage := harness.New(t, small, hurry)
			// The process holds no output of the command, so the stage finds it in the
			// table only, by its arguments. macOS hides its environment.
			Expect(stage.Run("sh", "-c", `: >"$TMPDIR/log"; tail -f "$TMPDIR/log" </dev/null >/dev/null 2>&1 &`).Status).To(Equal(harness.Status{}))
		})
		Expect(message).To(And(ContainSubstring("left something behind"), ContainSubstring("tail -f")))
	}, SpecTimeout(2*time.Minute))

	It("returns when a command has ended, though another process has its output", func() {
		stage := newStage()
		result := stage.Run("sh", "-c", "puppet keeper & echo done")
		Expect(result).To(Equal(harness.Result{Stdout: "done\n"}))
		Expect(stage.Puppet("keeper").Gone()).NotTo(BeClosed())
	})

	It("reports what happened on it and which processes live", func(ctx SpecContext) {
		GinkgoT().Setenv("HARNESS_REPORTS", GinkgoT().TempDir())
		stage := newStage()
		sh := stage.Shell(harness.Sh)
		sh.Run("echo in the shell")
		job := stage.Start("sh", "-c", "echo in the job")
		job.Wait()
		page := stage.Report()
		Expect(page).To(ContainSubstring("in the shell"))
		Expect(page).To(ContainSubstring("in the job"))
		Expect(page).To(MatchRegexp(`(?m)^ *%d .*sh -i`, sh.PID()))
		Expect(page).To(MatchRegexp(`(?m)^  sh-0 +a process holds descriptor 3$`))
		Expect(page).To(MatchRegexp(`(?m)^  job-0 +no process holds descriptor 3$`))
	}, SpecTimeout(time.Minute))
})
