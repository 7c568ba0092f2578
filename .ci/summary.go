// Summary reads Ginkgo's JSON reports and prints a summary.
//
//	go run .ci/summary.go out/report.json             one line: 12 passed, 0 failed, 3 skipped
//	go run .ci/summary.go -markdown out/report.json   a page for a job's summary
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/onsi/ginkgo/v2/types"
)

func main() {
	markdown := flag.Bool("markdown", false, "print a Markdown page instead of one line")
	flag.Parse()
	reports, err := read(flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "summary:", err)
		os.Exit(1)
	}
	if *markdown {
		page(reports)
		return
	}
	fmt.Println(count(reports))
}

func read(files []string) ([]types.Report, error) {
	var all []types.Report
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var reports []types.Report
		if err := json.Unmarshal(text, &reports); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, reports...)
	}
	return all, nil
}

// A tally counts specs. A set-up node that failed counts as a failed spec, because Ginkgo
// then reports the specs behind it as skipped. Specs that a filter left out are not
// counted.
type tally struct{ passed, failed, skipped int }

func (t tally) String() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", t.passed, t.failed, t.skipped)
}

func count(reports []types.Report) tally {
	var t tally
	for _, report := range reports {
		specs := report.SpecReports.WithLeafNodeType(types.NodeTypeIt)
		t.passed += specs.CountWithState(types.SpecStatePassed)
		for _, spec := range specs.WithState(types.SpecStateSkipped | types.SpecStatePending) {
			if spec.Failure.Message != "" || spec.State.Is(types.SpecStatePending) {
				t.skipped++
			}
		}
		t.failed += report.SpecReports.CountWithState(types.SpecStateFailureStates)
	}
	return t
}

func page(reports []types.Report) {
	fmt.Printf("### %s\n\n| suite | passed | failed | skipped | time | seed |\n|---|---|---|---|---|---|\n", count(reports))
	for _, r := range reports {
		t := count([]types.Report{r})
		fmt.Printf("| %s | %d | %d | %d | %s | %d |\n", r.SuiteDescription, t.passed, t.failed, t.skipped,
			r.RunTime.Round(10*time.Millisecond), r.SuiteConfig.RandomSeed)
	}
	for _, r := range reports {
		for _, spec := range r.SpecReports {
			if spec.Failed() {
				failure(r, spec)
			}
		}
	}
}

func failure(r types.Report, spec types.SpecReport) {
	text := spec.FullText()
	if text == "" {
		text = spec.LeafNodeType.String()
	}
	fmt.Printf("\n#### %s: %s\n\n`%s`, seed %d\n\n", spec.State, text, spec.Failure.Location, r.SuiteConfig.RandomSeed)
	// Indented, not fenced: a message may hold fences of its own.
	for _, line := range strings.Split(strings.TrimSpace(spec.Failure.Message), "\n") {
		fmt.Println("    " + line)
	}
}
