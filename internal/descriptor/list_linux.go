package descriptor

import (
	"math"

	"golang.org/x/sys/unix"
)

// lists are the directories that list the descriptors of this process. A container may
// lack /dev/fd, which is a link to the other one (proc(5)).
var lists = []string{"/proc/self/fd", "/dev/fd"}

// closeAllOnExec makes exec close all descriptors from 3 up. Kernels before 5.11 do not
// know the flag, and seccomp filters may refuse the call (close_range(2)).
func closeAllOnExec() error {
	return unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
}
