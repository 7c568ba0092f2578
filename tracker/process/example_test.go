//go:build darwin || linux

package process_test

import (
	"fmt"
	"os"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// The parents that the kernel names now answer for a moment only: an orphan
// descends from PID 1.
func ExampleIsDescendant() {
	self, parent := os.Getpid(), os.Getppid()
	yes, err := process.IsDescendant(self, parent)
	fmt.Println(yes, err)
	no, err := process.IsDescendant(parent, self)
	fmt.Println(no, err)
	// Output:
	// true <nil>
	// false <nil>
}
