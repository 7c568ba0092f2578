package union

import (
	"syscall"

	"golang.org/x/sys/unix"
)

func timesOf(stat *syscall.Stat_t) [2]unix.Timespec {
	return [2]unix.Timespec{unix.Timespec(stat.Atimespec), unix.Timespec(stat.Mtimespec)}
}

func mknod(path string, mode uint32, device uint64) error {
	return syscall.Mknod(path, mode, int(device))
}
