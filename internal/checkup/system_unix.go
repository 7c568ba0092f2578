//go:build darwin || linux

package checkup

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// limits returns the limits of this process and of the system. It blocks for nothing. Go's runtime has raised the
// soft limit of descriptors, as a monitor does.
func limits() Limits {
	seconds := limitOf(unix.RLIMIT_CPU).hard
	l := Limits{
		Processes: processes(), Cgroup: cgroupQuota(),
		Files: fileLimit(limitOf(unix.RLIMIT_NOFILE).hard), FileSize: limitOf(unix.RLIMIT_FSIZE).hard,
	}
	if seconds != Unlimited {
		l.Processor = time.Duration(seconds) * time.Second
	}
	l.Inotify, l.Releases = inotify()
	return l
}

// A limit of a process (setrlimit(2)).
type rlimit struct{ soft, hard uint64 }

func limitOf(resource int) rlimit {
	var found unix.Rlimit
	if unix.Getrlimit(resource, &found) != nil {
		return rlimit{Unlimited, Unlimited}
	}
	return rlimit{amount(found.Cur), amount(found.Max)}
}

// amount is a limit, or [Unlimited].
func amount(n uint64) uint64 {
	if n >= unix.RLIM_INFINITY {
		return Unlimited
	}
	return n
}

// writable returns why nothing can be made in a directory, or nil (docs/linux.md L77).
func writable(dir string) error {
	return unix.Faccessat(unix.AT_FDCWD, dir, unix.W_OK|unix.X_OK, unix.AT_EACCESS)
}

// room returns how many bytes this user can still write to the file system of a directory,
// and how many files can be made there.
func room(dir string) (bytes, files uint64) {
	var found unix.Statfs_t
	if unix.Statfs(dir, &found) != nil {
		return Unlimited, Unlimited
	}
	free := found.Bavail
	if os.Geteuid() == 0 {
		free = found.Bfree // some blocks are kept for root
	}
	if found.Files == 0 { // the file system has no such limit
		return free * uint64(found.Bsize), Unlimited
	}
	return free * uint64(found.Bsize), found.Ffree
}
