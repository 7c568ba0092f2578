//go:build darwin || linux

package descriptor

import (
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Snapshot describes the open descriptors of this process, to compare them before and
// after a spec: the number and, on Linux, the file. Pipes are left out unless pipes is
// true: in a parallel run Ginkgo makes pipes at any time to capture output.
func Snapshot(pipes bool) ([]string, error) {
	descriptors, err := Open()
	if err != nil {
		return nil, err
	}
	var open []string
	for _, fd := range descriptors {
		var stat unix.Stat_t
		if err := unix.Fstat(fd, &stat); err != nil {
			continue // another goroutine has closed it
		}
		if stat.Mode&unix.S_IFMT == unix.S_IFIFO && !pipes {
			continue
		}
		number := strconv.Itoa(fd)
		what, _ := os.Readlink("/dev/fd/" + number)
		if runtime.GOOS == "darwin" && strings.HasPrefix(what, "/proc/") {
			continue // an emulator of macOS reads /proc at any time; a Mac has none
		}
		open = append(open, strings.TrimSpace(number+" "+what))
	}
	return open, nil
}
