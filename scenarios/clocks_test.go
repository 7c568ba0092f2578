//go:build darwin || linux

package scenarios_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

// The clock may be set, a machine may sleep for days, files may be copied. None of that
// changes which processes live.
var _ = Describe("A runtime that looks as if it was made", ours, func() {
	DescribeTable("lives as long as its processes", func(ctx SpecContext, ago time.Duration) {
		alone()
		job := stage.Start(monitor.Run("aged", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		leaf := owner.Fork("leaf", harness.OwnSession)
		Eventually(ctx, func() ([]int, error) { return gemini.Members(ctx, "aged") }).Should(ContainElement(leaf.PID()))
		end(ctx, "aged", syscall.SIGKILL)
		age(gemini.Path("aged"), time.Now().Add(-ago))

		next := stage.Start("monitor", "serve", "aged")
		owner.Exit(0)
		job.Wait()
		expectKept(ctx, "aged", job.Oracle())
		Expect(gemini.Members(ctx, "aged")).To(ConsistOf(leaf.PID()))
		leaf.Exit(0)
		expectRemoved(ctx, "aged", job.Oracle())
		Expect(next.Wait()).To(Equal(harness.Status{}), next.Output())
	},
		Entry("two days ago", 48*time.Hour, limit),
		Entry("tomorrow", -24*time.Hour, limit),
	)
})

var aTime = regexp.MustCompile(`\d{4}-\d\d-\d\dT[^"]*`)

// age sets the times of all files of a runtime, and all times in them.
func age(dir string, then time.Time) {
	GinkgoHelper()
	Expect(filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			err = rewrite(path, then)
		}
		if err == nil {
			err = os.Chtimes(path, then, then)
		}
		return err
	})).To(Succeed())
}

func rewrite(path string, then time.Time) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, aTime.ReplaceAll(text, then.UTC().AppendFormat(nil, time.RFC3339Nano)), 0o600)
}
