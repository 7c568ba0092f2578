//go:build darwin || linux

package harness

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
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
	if last := bases[len(bases)-1]; last != os.TempDir() {
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
}
