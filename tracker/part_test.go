//go:build darwin || linux

package tracker

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"
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

// openDescriptors counts the descriptors of this process. The first ones of
// Go's poller come when first needed, so that happens before any spec.
//
// Ginkgo opens and closes pipes at any time where several processes run the
// specs, so pipes do not count there.
func openDescriptors() (open int) {
	suite, _ := GinkgoConfiguration()
	for fd := range 256 {
		var stat unix.Stat_t
		if unix.Fstat(fd, &stat) != nil {
			continue
		}
		path, _ := os.Readlink("/dev/fd/" + strconv.Itoa(fd))
		if runtime.GOOS == "darwin" && strings.HasPrefix(path, "/proc/") {
			continue // what emulates macOS reads there, at any time
		}
		if suite.ParallelTotal == 1 || stat.Mode&unix.S_IFMT != unix.S_IFIFO {
			open++
		}
	}
	return open
}

var _ = BeforeSuite(func() {
	read, write, err := os.Pipe()
	Expect(err).NotTo(HaveOccurred())
	defer read.Close()
	defer write.Close()
})
