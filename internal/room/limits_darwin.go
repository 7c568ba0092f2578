package room

import (
	"os"

	"golang.org/x/sys/unix"
)

// limits returns the limits of the user, root included, and of the machine (xnu
// bsd/kern/kern_fork.c, fork1).
func limits() ([]limit, error) {
	mine, err := unix.SysctlKinfoProcSlice("kern.proc.ruid", os.Getuid())
	if err != nil {
		return nil, err
	}
	all, err := unix.SysctlKinfoProcSlice("kern.proc.all")
	if err != nil {
		return nil, err
	}
	most, err := unix.SysctlUint32("kern.maxproc")
	if err != nil {
		return nil, err
	}
	user, err := userLimit(len(mine))
	return append(user, limit{most: uint64(most), now: uint64(len(all))}), err
}
