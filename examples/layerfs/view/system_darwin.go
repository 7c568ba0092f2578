package view

import (
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// keepTime leaves a time as it is: UTIME_OMIT of sys/stat.h.
var keepTime = unix.Timespec{Nsec: -2}

func timespec(t time.Time) unix.Timespec { return unix.NsecToTimespec(t.UnixNano()) }

func changeTime(stat *syscall.Stat_t) syscall.Timespec { return stat.Ctimespec }

// setTimes sets the times of an open file.
func setTimes(fd int, times []unix.Timespec) error {
	return unix.UtimesNanoAt(unix.AT_FDCWD, "/dev/fd/"+strconv.Itoa(fd), times, 0)
}

// fallocate is not passed on: fcntl(2) has F_PREALLOCATE, which sets no size.
func fallocate(int, uint32, int64, int64) error { return syscall.ENOTSUP }
