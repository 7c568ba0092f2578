//go:build darwin || linux

// Package scenarios says how processes behave and what a monitor has to make
// of it. The specs drive a monitor through its command line alone. Those without
// the label "gemini" ask nothing but what harness.Monitor can, so that any monitor
// can be put through them; GEMINI_ADAPTER says which.
package scenarios_test

import (
	"context"
	"fmt"
	"os"
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
	if os.Getenv("GOMEGA_DEFAULT_EVENTUALLY_TIMEOUT") == "" { // Gomega's own
		SetDefaultEventuallyTimeout(20 * time.Second)
	}
	RegisterFailHandler(func(message string, skip ...int) {
		stage.Failed(message) // into the timeline, where it belongs
		Fail(message, append(skip, 0)[0]+1)
	})
	RunSpecs(t, "Scenarios")
}

var (
	tools   harness.Tools
	adapter = os.Getenv(monitors.AdapterVariable)
)

var _ = SynchronizedBeforeSuite(func(ctx SpecContext) []byte {
	programs := []string{"puppet"}
	if adapter == "" {
		programs = append(programs, "monitor")
	}
	built, err := harness.Build(ctx, programs...)
	Expect(err).NotTo(HaveOccurred())
	return []byte(built.Dir)
}, func(dir []byte) {
	tools.Dir = string(dir)
}, NodeTimeout(5*time.Minute))

var _ = SynchronizedAfterSuite(func() {}, func() {
	Expect(tools.Remove()).To(Succeed())
})

// Each spec has a stage and a store of its own.
var (
	stage   *harness.Stage
	monitor monitors.Monitor
	gemini  *monitors.Gemini // the same, where it is ours; else nil
)

// ours labels what is said of Gemini alone: its words, its files, its repairs.
var ours = Label("gemini")

var _ = BeforeEach(func() {
	if adapter != "" && slices.Contains(CurrentSpecReport().Labels(), ours[0]) {
		Skip("about Gemini alone")
	}
	goroutines := gleak.Goroutines()
	descriptors, err := openDescriptors()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() {
		Eventually(gleak.Goroutines).ShouldNot(gleak.HaveLeaked(goroutines))
		Eventually(openDescriptors).Should(HaveLen(len(descriptors)), "descriptors before: %v", descriptors)
	})
	stage = harness.NewStage(GinkgoT(), tools)
	chooseMonitor()
	DeferOnFailure(func(ctx SpecContext) {
		AddReportEntry("the monitor", monitor.Report(ctx), ReportEntryVisibilityFailureOrVerbose)
	})
})

// chooseMonitor takes the one behind the adapter, else ours.
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

// limit bounds a spec on a slow machine; what works is far from it.
const limit = SpecTimeout(2 * time.Minute)

// A witness knows whether somebody lives: the oracle of a shell or of a job.
type witness interface {
	Held() bool
	Gone() <-chan struct{}
}

// listed asks the monitor for a runtime.
func listed(ctx context.Context, name string) (bool, error) {
	names, err := monitor.List(ctx)
	return slices.Contains(names, name), err
}

// expectKept checks that the runtime is there while somebody lives. It first
// gives a monitor that is about to be wrong the time to be: as long as the whole
// life of another runtime takes on this machine at this moment.
func expectKept(ctx context.Context, name string, somebody witness) {
	GinkgoHelper()
	passTime(ctx)
	there, err := listed(ctx, name)
	Expect(err).NotTo(HaveOccurred())
	// In this order: who lives after the look lived when it was taken.
	Expect(somebody.Held()).To(BeTrue(), "the spec proves nothing: everybody has gone")
	Expect(there).To(BeTrue(), "runtime %s was removed while somebody lives", name)
}

var ages int

// passTime returns when another runtime was made, has ended and was removed.
func passTime(ctx context.Context) {
	GinkgoHelper()
	ages++
	name := fmt.Sprintf("age-%d", ages)
	age := stage.Start(monitor.Run(name, "true")...)
	Expect(age.Wait(ctx)).To(Equal(harness.Status{}), age.Output())
	expectRemoved(ctx, name, age.Oracle())
}

// expectRemoved checks that the runtime goes once everybody has, and leaves
// nothing in the store.
func expectRemoved(ctx context.Context, name string, everybody witness) {
	GinkgoHelper()
	Eventually(ctx, everybody.Gone()).Should(BeClosed(), "somebody lives on")
	Eventually(ctx, func() (bool, error) { return listed(ctx, name) }).Should(BeFalse(), "nobody lives, but runtime %s stays", name)
	if gemini != nil {
		Eventually(ctx, gemini.Path(name)).ShouldNot(BeADirectory(), "%s is not listed, but its directory stays", name)
	}
}

// typed is a command line as one types it into a shell.
func typed(argv []string) string {
	quoted := make([]string, len(argv))
	for i, word := range argv {
		quoted[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return strings.Join(quoted, " ")
}

// expectEmptyStore checks that nothing is left, of ours in the trash either.
func expectEmptyStore(ctx context.Context) {
	GinkgoHelper()
	Eventually(ctx, monitor.List).Should(BeEmpty())
	if gemini != nil {
		Eventually(ctx, gemini.Files).Should(BeEmpty())
	}
}

// needs skips the spec where the shell is not installed.
func needs(kind harness.Kind) {
	if _, err := kind.Path(); err != nil {
		Skip(fmt.Sprintf("%s is not installed", kind))
	}
}

func openDescriptors() ([]string, error) {
	config, _ := GinkgoConfiguration()
	return descriptor.Snapshot(config.ParallelTotal == 1)
}
