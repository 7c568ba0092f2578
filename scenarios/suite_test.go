//go:build darwin || linux

// Package scenarios tests a monitor with real processes, through its command line
// only. Specs without the label "gemini" use the methods of monitors.Monitor only, so
// they test any monitor that has an adapter (GEMINI_ADAPTER).
package scenarios_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"

	"github.com/gemini-monitor/gemini/harness"
	"github.com/gemini-monitor/gemini/internal/descriptor"
	"github.com/gemini-monitor/gemini/scenarios/internal/monitors"
)

func TestScenarios(t *testing.T) {
	EnforceDefaultTimeoutsWhenUsingContexts()
	if os.Getenv("GOMEGA_DEFAULT_EVENTUALLY_TIMEOUT") == "" { // the variable is Gomega's
		SetDefaultEventuallyTimeout(time.Minute) // where the table is polled, a read of 0.6 s buys 20 s of quiet
	}
	RegisterFailHandler(func(message string, skip ...int) {
		stage.Failed(message)
		Fail(message, append(skip, 0)[0]+1)
	})
	harness.ReplayEnvironment("GEMINI_") // the monitor, the play
	RunSpecs(t, "Scenarios")
}

var (
	options []harness.Option // the programs
	program string           // path of the command, empty with an adapter
	adapter = os.Getenv(monitors.AdapterVariable)
)

func TestMain(m *testing.M) { harness.Main(m) }

// The first process builds the programs for all. A puppet of its own program is smaller
// than the test binary.
var _ = SynchronizedBeforeSuite(func(SpecContext) []byte {
	programs := []string{"github.com/gemini-monitor/gemini/harness/puppet"}
	if adapter == "" {
		programs = append(programs, "github.com/gemini-monitor/gemini/cmd/monitor")
	}
	Expect(os.Setenv("CGO_ENABLED", "0")).To(Succeed()) // as "make build" builds them
	var paths []string
	for _, program := range programs {
		path, err := harness.Build(program)
		Expect(err).NotTo(HaveOccurred())
		// On macOS XProtect checks a program when it first runs, for some tenths of a second.
		// The first spec does not wait for that.
		_ = exec.Command(path).Run()
		paths = append(paths, path)
	}
	return []byte(strings.Join(paths, "\n"))
}, func(paths []byte) {
	for path := range strings.Lines(string(paths)) {
		path = strings.TrimSpace(path)
		options = append(options, harness.Program(path))
		if filepath.Base(path) == "monitor" {
			program = path
		}
	}
}, NodeTimeout(5*time.Minute))

// Each spec has a stage and a store of its own.
var (
	stage   *harness.Stage
	monitor monitors.Monitor
	gemini  *monitors.Gemini // the same monitor if it is Gemini, else nil
)

// ours is the label of specs about Gemini only: its output, its files, its repairs.
var ours = Label("gemini")

var _ = BeforeEach(func() {
	if adapter != "" && slices.Contains(CurrentSpecReport().Labels(), ours[0]) {
		Skip("the spec is about Gemini only")
	}
	goroutines := gleak.Goroutines()
	descriptors, err := openDescriptors()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() {
		Eventually(gleak.Goroutines).ShouldNot(gleak.HaveLeaked(goroutines))
		Eventually(openDescriptors).Should(HaveLen(len(descriptors)), "descriptors before: %v", descriptors)
	})
	stage = harness.New(GinkgoT(), options...)
	chooseMonitor()
	DeferOnFailure(func(ctx SpecContext) {
		AddReportEntry("the monitor", monitor.Report(ctx), ReportEntryVisibilityFailureOrVerbose)
	})
})

// chooseMonitor sets monitor to the one behind the adapter, else to Gemini.
func chooseMonitor() {
	GinkgoHelper()
	if adapter != "" {
		foreign, err := monitors.NewForeign(stage, adapter)
		Expect(err).NotTo(HaveOccurred())
		monitor, gemini = foreign, nil
		return
	}
	gemini = monitors.NewGemini(stage)
	monitor = gemini
}

// limit bounds a spec. A spec that passes takes a small part of it.
const limit = SpecTimeout(2 * time.Minute)

// A witness reports whether a process lives: the oracle of a shell or of a job, or a
// puppet.
type witness interface {
	Held() bool
	Gone() <-chan struct{}
}

// listed reports whether the monitor lists a runtime.
func listed(ctx context.Context, name string) (bool, error) {
	names, err := monitor.List(ctx)
	return slices.Contains(names, name), err
}

// expectKept checks that the runtime exists while a process of it lives. First it
// gives a wrong monitor time to remove the runtime: as long as the whole life of another
// runtime takes on this machine now.
func expectKept(ctx context.Context, name string, alive witness) {
	GinkgoHelper()
	passTime(ctx)
	there, err := listed(ctx, name)
	Expect(err).NotTo(HaveOccurred())
	// In this order: a process that lives after List lived during it.
	Expect(alive.Held()).To(BeTrue(), "the spec proves nothing: no process lives")
	Expect(there).To(BeTrue(), "runtime %s was removed while a process of it lives", name)
}

var ages int

// passTime returns after another runtime was made and removed.
func passTime(ctx context.Context) {
	GinkgoHelper()
	ages++
	name := fmt.Sprintf("age-%d", ages)
	age := stage.Start(monitor.Run(name, "true")...)
	Expect(age.Wait()).To(Equal(harness.Status{}), age.Output())
	expectRemoved(ctx, name, age.Oracle())
}

// expectRemoved checks that the runtime is removed after its last process has ended, with
// its directory.
func expectRemoved(ctx context.Context, name string, last witness) {
	GinkgoHelper()
	Eventually(ctx, last.Gone()).Should(BeClosed(), "a process lives on")
	Eventually(ctx, func() (bool, error) { return listed(ctx, name) }).Should(BeFalse(), "no process lives, but runtime %s stays", name)
	if gemini != nil {
		Eventually(ctx, gemini.Path(name)).ShouldNot(BeADirectory(), "runtime %s is not listed, but its directory stays", name)
	}
}

// typed returns a command line quoted for a shell.
func typed(argv []string) string {
	quoted := make([]string, len(argv))
	for i, word := range argv {
		quoted[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return strings.Join(quoted, " ")
}

// expectEmptyStore checks that no runtime is left, and in Gemini's store no file.
func expectEmptyStore(ctx context.Context) {
	GinkgoHelper()
	Eventually(ctx, monitor.List).Should(BeEmpty())
	if gemini != nil {
		Eventually(ctx, gemini.Files).Should(BeEmpty())
	}
}

// needs skips the spec if the shell is not installed.
func needs(kind harness.Kind) {
	if _, err := kind.Path(); err != nil {
		Skip(fmt.Sprintf("%s is not installed", kind))
	}
}

// openDescriptors returns the open descriptors, pipes left out in a parallel run.
func openDescriptors() ([]string, error) {
	config, _ := GinkgoConfiguration()
	return descriptor.Snapshot(config.ParallelTotal == 1)
}

// alone has each runtime of the spec watched by a monitor of its own, which no guard
// starts anew.
func alone() { stage.Setenv("MONITOR_RESIDENT", "no") }
