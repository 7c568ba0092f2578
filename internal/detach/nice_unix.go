//go:build darwin || linux

package detach

import "golang.org/x/sys/unix"

const lowestPriority = 19

// resetNice sets the nice value to 0, or to the lowest value that the kernel permits:
// without privilege that is the present one, or on Linux what RLIMIT_NICE permits
// (setpriority(2)).
func resetNice() {
	for nice := 0; nice <= lowestPriority && unix.Setpriority(unix.PRIO_PROCESS, 0, nice) != nil; nice++ {
	}
}
