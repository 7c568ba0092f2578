//go:build darwin || linux

package harness

import (
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// OpenDescriptors describes this process' open descriptors, to be compared
// before and after a spec: the number, and on Linux what it is. Pipes are left
// out unless asked for: in parallel, Ginkgo makes some in the background to
// capture output.
func OpenDescriptors(pipes bool) ([]string, error) {
	names, err := os.ReadDir("/dev/fd")
	if err != nil {
		return nil, err
	}
	var open []string
	for _, name := range names {
		fd, err := strconv.Atoi(name.Name())
		if err != nil {
			continue
		}
		var stat unix.Stat_t
		if err := unix.Fstat(fd, &stat); err != nil {
			continue // the directory's own, closed by now
		}
		if stat.Mode&unix.S_IFMT == unix.S_IFIFO && !pipes {
			continue
		}
		what, _ := os.Readlink("/dev/fd/" + name.Name())
		if runtime.GOOS == "darwin" && strings.HasPrefix(what, "/proc/") {
			continue // what emulates macOS reads there, at any time
		}
		open = append(open, name.Name()+" "+what)
	}
	return open, nil
}
