//go:build darwin || linux

package harness

import (
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// OpenDescriptors returns the numbers of this process' open descriptors, to be
// compared before and after a spec.
func OpenDescriptors() ([]int, error) {
	names, err := os.ReadDir("/dev/fd")
	if err != nil {
		return nil, err
	}
	var open []int
	for _, name := range names {
		fd, err := strconv.Atoi(name.Name())
		if err != nil {
			continue
		}
		// The directory's own descriptor is closed by now.
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil {
			open = append(open, fd)
		}
	}
	slices.Sort(open)
	return open, nil
}
