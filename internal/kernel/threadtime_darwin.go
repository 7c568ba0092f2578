package kernel

import (
	"time"

	"golang.org/x/sys/unix"
)

// threadTime returns the processor time that the calling thread has used, in user
// and kernel mode. XNU has no RUSAGE_THREAD; libSystem answers this clock with
// thread_selfusage (libsyscall/wrappers, clock_gettime(3)).
func threadTime() time.Duration {
	var used unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &used); err != nil {
		return 0
	}
	return time.Duration(used.Nano())
}
