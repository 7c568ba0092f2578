//go:build darwin || linux

package harness

import (
	"slices"
	"testing"
)

// TestFlagsOfABuild checks that programs are built as the tests were: where no C compiler
// may be used, without what needs one.
func TestFlagsOfABuild(t *testing.T) {
	built := map[string]string{"-race": "true", "-msan": "false", "-tags": "a,b", "-compiler": "gc"}
	for cgo, want := range map[bool][]string{true: {"-race", "-tags=a,b"}, false: {"-tags=a,b"}} {
		if flags := buildFlags(built, cgo); !slices.Equal(flags, want) {
			t.Errorf("cgo %v: the flags are %q", cgo, flags)
		}
	}
	if flags := buildFlags(nil, true); len(flags) != 0 {
		t.Errorf("without settings the flags are %q", flags)
	}
}
