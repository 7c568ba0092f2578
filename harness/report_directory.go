//go:build darwin || linux

package harness

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
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
	return append(bases, os.TempDir())
}

// artifactsKept reports whether ArtifactDir is kept: without -artifacts it is a
// temporary directory, which the end of the test removes.
func artifactsKept() bool {
	artifacts := flag.Lookup("test.artifacts")
	return artifacts != nil && artifacts.Value.String() == "true"
}
