//go:build darwin || linux

package harness

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A producingT has a directory for its files: a *testing.T from Go 1.26 on.
type producingT interface{ ArtifactDir() string }

var unfit = regexp.MustCompile(`[^A-Za-z0-9]+`)

// reportDirectory makes the directory of the report, and returns "" for a test without
// a name.
func (s *Stage) reportDirectory() (string, error) {
	name := strings.Trim(unfit.ReplaceAllString(nameOf(s.t), "-"), "-")
	if name == "" {
		return "", nil
	}
	var errs []error
	for _, base := range reportBases(s.t) {
		dir := filepath.Join(base, name[max(0, len(name)-100):]+"-"+s.mark)
		err := os.MkdirAll(dir, 0o755)
		if err == nil {
			if grows(base) {
				prune(base, keptReports)
			}
			return dir, nil
		}
		errs = append(errs, err)
	}
	return "", fmt.Errorf("keep the report: %w", errors.Join(errs...))
}

// reportBases returns the directories below which the report may be kept, the best
// first.
func reportBases(t T) (bases []string) {
	if base := os.Getenv(reportsVariable); base != "" {
		return []string{base}
	}
	// Ginkgo's T has an artifact directory as well: a new temporary one at each call.
	if p, ok := t.(producingT); ok && !isGinkgo(t) && artifactsKept() {
		return []string{p.ArtifactDir()}
	}
	if root := moduleRoot(); root != "" {
		bases = append(bases, filepath.Join(root, "out", "failures"))
	}
	return append(bases, lastBase())
}

// lastBase returns the directory of reports where the module cannot have them.
func lastBase() string {
	return filepath.Join(os.TempDir(), fmt.Sprintf("harness-failures-%d", os.Geteuid()))
}

// grows reports whether a directory of reports is one that the harness has chosen, so that
// it has to care for its size.
func grows(base string) bool {
	return os.Getenv(reportsVariable) == "" && (base == lastBase() || base == filepath.Join(moduleRoot(), "out", "failures"))
}

// keptReports is how many reports stay where no one has chosen the directory.
const keptReports = 100

var reportName = regexp.MustCompile(`-[0-9a-f]{8}$`)

// prune removes the oldest reports below a directory of reportBases, so that at most a
// number of them is left. Tests that run at the same time may do so as well.
func prune(base string, kept int) {
	found, _ := filepath.Glob(filepath.Join(base, "*", "report.txt"))
	written := map[string]time.Time{}
	for _, path := range found {
		info, err := os.Stat(path)
		if dir := filepath.Dir(path); err == nil && reportName.MatchString(dir) {
			written[dir] = info.ModTime()
		}
	}
	dirs := sortedKeys(written)
	slices.SortStableFunc(dirs, func(a, b string) int { return written[a].Compare(written[b]) })
	for _, dir := range dirs[:max(0, len(dirs)-kept)] {
		_ = os.RemoveAll(dir) // another test may have done so
	}
}

// artifactsKept reports whether ArtifactDir is kept: without -artifacts it is a
// temporary directory, which the end of the test removes.
func artifactsKept() bool {
	artifacts := flag.Lookup("test.artifacts")
	return artifacts != nil && artifacts.Value.String() == "true"
}
