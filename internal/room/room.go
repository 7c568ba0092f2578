//go:build darwin || linux

// Package room limits the number of processes that specs and benchmarks start, so that
// they do not fail on a small machine and leave processes to other programs.
package room

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Processes returns how many of wanted processes may be started: all, or half of what the
// limits leave. The other half is for other programs. A Mac with 7 GB allows a user 1,333
// processes (xnu bsd/conf/param.c, maxprocperuid), and a session has some hundreds.
func Processes(wanted int) (int, error) {
	all, err := limits()
	if err != nil {
		return 0, fmt.Errorf("read the limits of processes: %w", err)
	}
	return size(wanted, all), nil
}

// A limit is the number of processes that may exist, and the number that do.
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

// userLimit returns the soft limit for the processes of a user with now processes. fork(2)
// compares with the soft limit.
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
