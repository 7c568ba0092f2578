//go:build darwin || linux

package testproc

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"

	"github.com/onsi/gomega"
)

// The specs need processes that do what Go's os package offers no way to order. For
// that, this test binary is started again, with a part to play named in its environment.
const partVariable = "TRACKER_PART"

var parts = map[string]func(){
	"actor":      actor,
	"leaderless": leaderless,
	"tracer":     tracer,
}

// init keeps every part on the first thread of its process, where only
// initialisation is sure to run: one part is about that thread, and ptrace
// wants each call from the same one.
func init() {
	if os.Getenv(partVariable) != "" {
		runtime.LockOSThread()
	}
}

// Main is the TestMain of a suite. It plays the part that the environment names, one
// of these or of more, or runs the specs.
func Main(m *testing.M, more map[string]func()) {
	part := os.Getenv(partVariable)
	for _, known := range []map[string]func(){parts, more} {
		if play, ok := known[part]; ok {
			play()
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

// RootVariable names the process that a part is to follow or trace.
const RootVariable = "TRACKER_ROOT"

// Variable reads a number from the environment of a part.
func Variable(name string) int {
	n, err := strconv.Atoi(os.Getenv(name))
	Must(err)
	return n
}

// Must ends a part that cannot be played.
func Must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "part:", err)
		os.Exit(3)
	}
}

// Self is the path of this test binary.
func Self() string {
	path, err := os.Executable()
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	return path
}
