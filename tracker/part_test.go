//go:build darwin || linux

package tracker

import (
	"fmt"
	"os"
	"runtime"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/descriptor"
)

// The specs need processes that do what Go's own runtime does not offer them to
// be told. This test binary is started again for that, with a part to play
// named in its environment.
const partVariable = "TRACKER_PART"

var parts = map[string]func(){
	"actor":      actor,
	"observer":   observer,
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

func TestMain(m *testing.M) {
	if play, ok := parts[os.Getenv(partVariable)]; ok {
		play()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// must ends a part that cannot be played.
func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "part:", err)
		os.Exit(3)
	}
}

// self is the path of this test binary.
func self() string {
	path, err := os.Executable()
	Expect(err).NotTo(HaveOccurred())
	return path
}

// openDescriptors lists those of this process, without pipes where several
// processes run the specs: Ginkgo makes its own there at any time.
func openDescriptors() ([]string, error) {
	suite, _ := GinkgoConfiguration()
	return descriptor.Snapshot(suite.ParallelTotal == 1)
}

// Go's poller opens its descriptors when it is first needed. That is here,
// before any spec.
var _ = BeforeSuite(func() {
	read, write, err := os.Pipe()
	Expect(err).NotTo(HaveOccurred())
	defer read.Close()
	defer write.Close()
})
