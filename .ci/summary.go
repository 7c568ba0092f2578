// Summary reads Ginkgo's JSON reports and prints a summary.
//
//	go run .ci/summary.go out/report.json             one line: 12 passed, 0 failed, 3 skipped
//	go run .ci/summary.go -skips out/report.json      before it, why specs were skipped, and what failed
//	go run .ci/summary.go -markdown out/report.json   a page for a job's summary
package main

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/onsi/ginkgo/v2/types"
)

func main() {
	markdown := flag.Bool("markdown", false, "print a Markdown page instead of one line")
	skips := flag.Bool("skips", false, "print the reasons of skipped specs, and the specs that failed, before the line")
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
	if *skips {
		for _, r := range reasons(reports) {
			fmt.Printf("%5d skipped: %s\n", r.specs, r.text)
		}
		// At the end, because a long log may be cut.
		for _, f := range failures(reports) {
			fmt.Println("   failed:", f)
		}
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
		for _, spec := range specs {
			if skipped(spec) {
				t.skipped++
			}
		}
		t.failed += report.SpecReports.CountWithState(types.SpecStateFailureStates)
	}
	return t
}

// skipped reports whether a spec was chosen and not run.
func skipped(spec types.SpecReport) bool {
	return spec.State.Is(types.SpecStatePending) || spec.State.Is(types.SpecStateSkipped) && spec.Failure.Message != ""
}

// A reason is why a number of specs were skipped.
type reason struct {
	text  string
	specs int
}

// reasons returns why specs were skipped, the most frequent reason first.
func reasons(reports []types.Report) []reason {
	specs := make(map[string]int)
	for _, report := range reports {
		for _, spec := range report.SpecReports.WithLeafNodeType(types.NodeTypeIt) {
			if skipped(spec) {
				text, _, _ := strings.Cut(cmp.Or(spec.Failure.Message, spec.State.String()), "\n")
				specs[text]++
			}
		}
	}
	var all []reason
	for text, n := range specs {
		all = append(all, reason{text, n})
	}
	slices.SortFunc(all, func(a, b reason) int {
		return cmp.Or(b.specs-a.specs, strings.Compare(a.text, b.text))
	})
	return all
}

// failures returns a line for each spec and each set-up node that failed: its suite, its
// text, the place of the failure and the first line of the message.
func failures(reports []types.Report) (all []string) {
	for _, report := range reports {
		for _, spec := range report.SpecReports.WithState(types.SpecStateFailureStates) {
			first, _, _ := strings.Cut(strings.TrimSpace(spec.Failure.Message), "\n")
			all = append(all, fmt.Sprintf("%s: %s (%s): %s", report.SuiteDescription, title(spec), spec.Failure.Location, first))
		}
	}
	return all
}

// title returns the text of a spec, or what kind of set-up node it is.
func title(spec types.SpecReport) string {
	return cmp.Or(spec.FullText(), spec.LeafNodeType.String())
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
	fmt.Printf("\n#### %s: %s\n\n`%s`, seed %d\n\n", spec.State, title(spec), spec.Failure.Location, r.SuiteConfig.RandomSeed)
	// Indented, not fenced: a message may hold fences of its own.
	for _, line := range strings.Split(strings.TrimSpace(spec.Failure.Message), "\n") {
		fmt.Println("    " + line)
	}
}
