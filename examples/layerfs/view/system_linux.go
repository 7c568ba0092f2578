package view

import (
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// keepTime leaves a time as it is (utimensat(2)).
var keepTime = unix.Timespec{Nsec: unix.UTIME_OMIT}

func timespec(t time.Time) unix.Timespec { return unix.NsecToTimespec(t.UnixNano()) }

func changeTime(stat *syscall.Stat_t) syscall.Timespec { return stat.Ctim }

// setTimes sets the times of an open file. The descriptor may be read only.
func setTimes(fd int, times []unix.Timespec) error {
	return unix.UtimesNanoAt(unix.AT_FDCWD, "/proc/self/fd/"+strconv.Itoa(fd), times, 0)
}

func fallocate(fd int, mode uint32, offset, length int64) error {
	return unix.Fallocate(fd, mode, offset, length)
}
