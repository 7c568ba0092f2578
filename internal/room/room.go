//go:build darwin || linux

// Package room says how many processes specs and benchmarks may start, so that
// they neither fail on a small machine nor take the last process from others.
package room

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Processes returns how many of wanted processes may be started: all, or half of
// what the limits that are in force leave. The other half is for the processes
// beside them. A Mac with 7 GB allows a user 1,333 processes, some
// hundreds of which the session has (xnu bsd/conf/param.c, maxprocperuid).
func Processes(wanted int) (int, error) {
	all, err := limits()
	if err != nil {
		return 0, fmt.Errorf("find out how many processes may be started: %w", err)
	}
	return size(wanted, all), nil
}

// A limit is a number of processes that may exist, and how many do.
type limit struct {
	most, now uint64
}

func size(wanted int, all []limit) int {
	for _, l := range all {
		left := uint64(0)
		if l.most > l.now {
			left = l.most - l.now
		}
		wanted = int(min(uint64(wanted), left/2))
	}
	return wanted
}

// userLimit is the soft limit for the processes of a user, who has now of them.
// The hard limit says nothing: fork(2) compares with the soft one.
func userLimit(now int) ([]limit, error) {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NPROC, &l); err != nil {
		return nil, err
	}
	if l.Cur >= unix.RLIM_INFINITY {
		return nil, nil
	}
	return []limit{{most: l.Cur, now: uint64(now)}}, nil
}
