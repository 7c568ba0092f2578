//go:build darwin || linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/gemini-monitor/gemini/scenarios/internal/monitors"
)

const module = "github.com/gemini-monitor/gemini"

// beat is how often a scenario polls for what it waits for.
const beat = "25ms"

// patience returns how long a scenario waits before it fails. A mutant that does not
// remove its runtime takes this time in nearly every scenario. A Mac needs more: XProtect
// checks each new program when it first runs, one program at a time, for some tenths of
// a second.
func patience() string {
	if runtime.GOOS == "darwin" {
		return "10s"
	}
	return "3s"
}

// places returns how many mutants are judged at a time by default. The scenarios wait
// more than they compute, except where XProtect checks programs.
func places() int {
	if runtime.GOOS == "darwin" {
		return runtime.NumCPU()
	}
	return 5
}

// A trial runs all scenarios against all mutants.
type trial struct {
	out     string // directory
	filter  string
	mutants []*mutant
}

// A mutant is one wrong monitor and its outcome in each scenario.
type mutant struct {
	name, fault string
	labels      string                     // of the scenarios about the fault, empty for all
	ended       map[string]types.SpecState // by the text of the scenario
}

// prepare builds the programs once, for all runs.
func prepare(ctx context.Context, out, filter string) (*trial, error) {
	out, err := filepath.Abs(out)
	if err != nil {
		return nil, err
	}
	t := &trial{out: out, filter: filter}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return nil, err
	}
	if err := t.build(ctx); err != nil {
		return nil, err
	}
	t.removeReports() // of an earlier trial
	return t, t.gather(ctx)
}

func (t *trial) build(ctx context.Context) error {
	work := t.path("work")
	if err := os.MkdirAll(work, 0o755); err != nil {
		return err
	}
	defer os.RemoveAll(work)
	for _, args := range [][]string{
		{"build", "-o", t.out + "/", module + "/scenarios/mutant", module + "/harness/puppet"},
		{"test", "-c", "-o", t.path("scenarios.test"), module + "/scenarios"},
	} {
		if printed, err := goCommand(ctx, work, args...).CombinedOutput(); err != nil {
			return fmt.Errorf("go %s: %w\n%s", args[0], err, printed)
		}
	}
	return nil
}

func (t *trial) path(name string) string { return filepath.Join(t.out, name) }

// reports returns the directory for the reports of failures. Hundreds are expected. What
// a run prints has the unexpected ones as well.
func (t *trial) reports() string { return t.path("reports") }

func (t *trial) removeReports() {
	if err := os.RemoveAll(t.reports()); err != nil {
		fmt.Fprintln(os.Stderr, "judge:", err)
	}
}

// gather lists the mutants and makes a link with the name of each.
func (t *trial) gather(ctx context.Context) error {
	lines, err := command(ctx, t.path("mutant")).Output()
	if err != nil {
		return fmt.Errorf("list the mutants: %w", err)
	}
	for line := range strings.Lines(string(lines)) {
		words := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		m := &mutant{name: words[0], fault: words[1], labels: words[2]}
		t.mutants = append(t.mutants, m)
		if err := os.Symlink("mutant", t.path(m.name)); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// runAll runs the scenarios once against each mutant, some mutants at a time. It begins
// with the last of the list, which take the longest. When ctx ends it starts no more and
// waits for those that run.
func (t *trial) runAll(ctx context.Context, at int) error {
	var running sync.WaitGroup
	free := make(chan struct{}, at)
	failed := make([]error, len(t.mutants))
	for i, m := range slices.Backward(t.mutants) {
		free <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		running.Go(func() {
			failed[i] = t.run(ctx, m)
			<-free
		})
	}
	running.Wait()
	return errors.Join(failed...)
}

// run runs all scenarios against one mutant. Failed scenarios are no error.
func (t *trial) run(ctx context.Context, m *mutant) error {
	report := t.path(m.name + ".json")
	os.Remove(report) // of an earlier run
	filter := t.filter
	if m.labels != "" {
		filter = fmt.Sprintf("(%s) && (%s)", filter, m.labels)
	}
	cmd := command(ctx, t.path("scenarios.test"), "-ginkgo.no-color",
		"-ginkgo.label-filter="+filter, "-ginkgo.json-report="+report, "-ginkgo.timeout=10m")
	cmd.Dir = t.out
	cmd.Env = append(os.Environ(),
		monitors.AdapterVariable+"="+t.path(m.name),
		"HARNESS_PROGRAMS="+t.out,
		"HARNESS_REPORTS="+filepath.Join(t.reports(), m.name),
		"GOMEGA_DEFAULT_EVENTUALLY_TIMEOUT="+patience(),
		"GOMEGA_DEFAULT_EVENTUALLY_POLLING_INTERVAL="+beat)
	printed, err := os.Create(t.path(m.name + ".txt"))
	if err != nil {
		return err
	}
	defer printed.Close()
	cmd.Stdout, cmd.Stderr = printed, printed
	var ended *exec.ExitError
	err = cmd.Run()
	if ctx.Err() != nil {
		return leftBehind(m, cmd)
	}
	if err != nil && !errors.As(err, &ended) {
		return fmt.Errorf("%s: %w", m.name, err)
	}
	m.ended, err = readReport(report)
	if err != nil {
		return fmt.Errorf("%s: %w; see %s", m.name, err, printed.Name())
	}
	return nil
}

// leftBehind returns an error if an interrupted run was killed before its clean-up.
func leftBehind(m *mutant, cmd *exec.Cmd) error {
	if killed(cmd) {
		return fmt.Errorf("%s: its run did not end within %v and was killed; processes and directories of it may be left", m.name, farewell)
	}
	return nil
}

// readReport returns how each scenario ended, without those that a filter left out.
func readReport(path string) (map[string]types.SpecState, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var reports []types.Report
	if err := json.Unmarshal(text, &reports); err != nil {
		return nil, err
	}
	ended := map[string]types.SpecState{}
	for _, r := range reports {
		if reasons := r.SpecialSuiteFailureReasons; len(reasons) > 0 {
			return nil, fmt.Errorf("the run ended early: %q", reasons)
		}
		for _, spec := range r.SpecReports {
			if spec.LeafNodeType != types.NodeTypeIt {
				if spec.State.Is(types.SpecStateFailureStates) {
					return nil, fmt.Errorf("%v: %s", spec.LeafNodeType, spec.FailureMessage())
				}
				continue
			}
			skipped := spec.State == types.SpecStateSkipped
			if !skipped || spec.Failure.Message != "" {
				ended[spec.FullText()] = spec.State
			}
		}
	}
	if len(ended) == 0 {
		return nil, errors.New("no scenario was run")
	}
	return ended, nil
}
