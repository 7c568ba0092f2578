//go:build darwin || linux

package detach

import (
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/internal/descriptor"
)

// Settle makes the calling process, a monitor, independent of the one that started it,
// by whatever way: it closes the descriptors from 3 up that this process inherited (the
// lease of a runtime among them would be held by its own monitor), sets the umask to
// 077, raises soft limits to the hard ones, and ignores the signals that come with a
// write that fails. It is an error when the descriptors cannot be listed.
func Settle() error {
	if err := descriptor.CloseInherited(); err != nil {
		return err
	}
	unix.Umask(0o077)
	signal.Ignore(syscall.SIGPIPE, syscall.SIGXFSZ)
	raiseLimits()
	return nil
}

// limits are the resources whose soft limit a monitor raises. Go raises that of
// descriptors itself, on macOS to what the kernel really allows.
var limits = append([]int{
	unix.RLIMIT_AS, unix.RLIMIT_CPU, unix.RLIMIT_DATA, unix.RLIMIT_FSIZE,
	unix.RLIMIT_MEMLOCK, unix.RLIMIT_NPROC, unix.RLIMIT_RSS, unix.RLIMIT_STACK,
}, systemLimits...)

// raiseLimits raises the soft limits of this process to the hard ones. A hard limit
// cannot be raised without privilege. A monitor leaves no core file. It keeps a second
// of processor time, in which it can report that its time is over (SIGXCPU).
func raiseLimits() {
	for _, resource := range limits {
		var limit unix.Rlimit
		if unix.Getrlimit(resource, &limit) != nil {
			continue
		}
		limit.Cur = limit.Max
		if resource == unix.RLIMIT_CPU && limit.Max > 1 && limit.Max < unix.RLIM_INFINITY {
			limit.Cur--
		}
		_ = unix.Setrlimit(resource, &limit) // a system may know a lower bound
	}
	var core unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_CORE, &core) == nil {
		core.Cur = 0
		_ = unix.Setrlimit(unix.RLIMIT_CORE, &core)
	}
}
