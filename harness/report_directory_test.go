//go:build darwin || linux

package harness

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// A producing test has an artifact directory that go test has not made.
type producing struct{ *testing.T }

func (producing) ArtifactDir() string { return "/artifacts" }

// TestPlaceOfAReport checks the order of the places: the directory of the environment, the
// artifact directory if it is kept, out/failures of the module, the temporary directory.
func TestPlaceOfAReport(t *testing.T) {
	keep := func(on string) {
		t.Helper()
		if err := flag.Set("test.artifacts", on); err != nil {
			t.Fatal(err)
		}
	}
	before := flag.Lookup("test.artifacts").Value.String()
	t.Cleanup(func() { keep(before) })
	t.Setenv(reportsVariable, "")

	keep("false")
	bases := reportBases(producing{t})
	if last := bases[len(bases)-1]; last != lastBase() || !grows(last) {
		t.Errorf("the last place is %s", last)
	}
	for _, base := range bases[:len(bases)-1] {
		if !strings.HasSuffix(base, "/out/failures") {
			t.Errorf("%s is a place before the last", base)
		}
	}
	keep("true")
	if bases := reportBases(producing{t}); !slices.Equal(bases, []string{"/artifacts"}) {
		t.Errorf("with kept artifacts the places are %q", bases)
	}
	t.Setenv(reportsVariable, "/reports")
	if bases := reportBases(producing{t}); !slices.Equal(bases, []string{"/reports"}) {
		t.Errorf("with %s the places are %q", reportsVariable, bases)
	}
	if grows("/reports") || grows(lastBase()) {
		t.Error("the reports of a directory that the environment names are removed")
	}
}

// TestOldReportsGo checks that the oldest reports are removed, and nothing that is none.
func TestOldReportsGo(t *testing.T) {
	base := t.TempDir()
	for i, name := range []string{"A-00000001", "B-00000002", "mine", "C-00000003"} {
		dir := filepath.Join(base, name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		path, at := filepath.Join(dir, "report.txt"), time.Unix(int64(1000-i), 0) // the last one is the oldest
		if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(base, "D-00000004"), 0o755); err != nil { // not written yet
		t.Fatal(err)
	}
	prune(base, 1)
	left, err := filepath.Glob(filepath.Join(base, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range left {
		left[i] = filepath.Base(left[i])
	}
	if !slices.Equal(left, []string{"A-00000001", "D-00000004", "mine"}) {
		t.Errorf("left are %q", left)
	}
}
