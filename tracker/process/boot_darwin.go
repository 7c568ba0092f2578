package process

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// readBoot returns the UUID that the kernel draws at each boot. The boot time
// is the second choice only: it moves when the wall clock is stepped.
func readBoot() (string, error) {
	if id, err := unix.Sysctl("kern.bootsessionuuid"); err == nil && id != "" {
		return id, nil
	}
	tv, err := unix.SysctlTimeval("kern.boottime")
	if err != nil {
		return "", fmt.Errorf("read boot identity: %w", err)
	}
	return fmt.Sprintf("boottime-%d.%06d", tv.Sec, tv.Usec), nil
}

// visibleFrom returns nil: all processes of a Mac are in one table, and none
// outlives the kernel.
func visibleFrom(string, string) error { return nil }

func sameKernel(a, b string) bool { return a == b }
