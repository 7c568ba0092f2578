//go:build darwin || linux

// Package report_test holds the files and the text of a report against what their
// readers require: a shell, asciinema, speedscope.
package report_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

func TestReport(t *testing.T) {
	EnforceDefaultTimeoutsWhenUsingContexts()
	RegisterFailHandler(Fail)
	RunSpecs(t, "Reports of the harness")
}

// A failingT is a named test that may fail. It keeps what it prints.
type failingT struct {
	cleanups []func()
	failed   bool
	printed  string
}

func (t *failingT) Helper()                   {}
func (t *failingT) Name() string              { return "TestStory/of a failure" }
func (t *failingT) Skipf(string, ...any)      { runtime.Goexit() }
func (t *failingT) Failed() bool              { return t.failed }
func (t *failingT) Cleanup(clean func())      { t.cleanups = append(t.cleanups, clean) }
func (t *failingT) Logf(f string, a ...any)   { t.printed += fmt.Sprintf(f, a...) }
func (t *failingT) Errorf(f string, a ...any) { t.Logf(f, a...); t.failed = true }
func (t *failingT) Fatalf(f string, a ...any) { t.Errorf(f, a...); runtime.Goexit() }

// fail runs a test that fails, with its reports below a new directory. It returns what
// the test printed and the directory of its report.
func fail(test func(*harness.Stage)) (printed, dir string) {
	GinkgoHelper()
	base := GinkgoT().TempDir()
	GinkgoT().Setenv("HARNESS_REPORTS", base)
	t, done := &failingT{}, make(chan struct{})
	go func() {
		defer close(done)
		test(harness.New(t))
		t.Errorf("the story ends badly\n")
	}()
	<-done
	for i := len(t.cleanups) - 1; i >= 0; i-- {
		t.cleanups[i]()
	}
	found, err := filepath.Glob(filepath.Join(base, "*"))
	Expect(err).NotTo(HaveOccurred())
	Expect(found).To(HaveLen(1), t.printed)
	return t.printed, found[0]
}

// read returns a file of a report.
func read(dir, name string) []byte {
	GinkgoHelper()
	content, err := os.ReadFile(filepath.Join(dir, name))
	Expect(err).NotTo(HaveOccurred())
	return content
}

// soon bounds a spec.
const soon = SpecTimeout(time.Minute)
