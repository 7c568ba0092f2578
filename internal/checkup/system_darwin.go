package checkup

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/tracker/process"
)

func release() string {
	text, _ := unix.Sysctl("kern.osproductversion")
	return text
}

// namespaces returns nothing: this system has none.
func namespaces() []string { return nil }

// processes returns the limit of processes of this user, nil for root (docs/xnu.md X42).
func processes() *Quota {
	if os.Getuid() == 0 {
		return nil
	}
	limit := limitOf(unix.RLIMIT_NPROC).soft
	if n, err := unix.SysctlUint32("kern.maxprocperuid"); err == nil {
		limit = min(limit, uint64(n))
	}
	return &Quota{Limit: limit}
}

// threads returns 1: the limit is about processes.
func threads(int) uint64 { return 1 }

// cgroupQuota returns nil: this system has no cgroups.
func cgroupQuota() *Quota { return nil }

// inotify returns nothing: a kqueue reports releases, and has no such limit.
func inotify() (*Quota, error) { return nil, nil }

func instancesOf([]process.Row) uint64 { return 0 }

// fileLimit returns what a hard limit of descriptors comes to (docs/xnu.md X65).
func fileLimit(hard uint64) uint64 {
	if n, err := unix.SysctlUint32("kern.maxfilesperproc"); err == nil {
		return min(hard, uint64(n))
	}
	return hard
}

// filesOf returns nil: only a process itself can list its descriptors without privilege.
func filesOf(int) *Quota { return nil }

func otherCgroup(int) string { return "" }

// session returns nothing: log-in sessions of this system are not looked at.
func session() Session { return Session{} }
