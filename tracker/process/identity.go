package process

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
)

// An Identity names one process for good. A PID alone does not: the kernel
// uses it again. Identities are comparable and may be map keys.
type Identity struct {
	PID int `json:"pid"`
	// Start is when the process was made, by the kernel's own clock. It is
	// kept across exec. It is zero for a process that had ended before its row could be read.
	Start StartTime `json:"start,omitzero"`
	// Boot is the run of the kernel in which PID and Start count; see [Boot].
	Boot string `json:"boot"`
}

// String returns the PID and the start time, enough to distinguish the
// processes of one boot in a log.
func (id Identity) String() string {
	return fmt.Sprintf("%d@%d", id.PID, id.Start)
}

// Self returns the identity of the calling process. It never changes, so the kernel is asked
// until it has answered once.
func Self() (Identity, error) {
	if known := self.Load(); known != nil {
		return *known, nil
	}
	p, err := Lookup(os.Getpid())
	if err != nil {
		return Identity{}, err
	}
	self.Store(&p.Identity)
	return p.Identity, nil
}

var self atomic.Pointer[Identity]

// ErrElsewhere reports an identity that was recorded in another PID or time
// namespace of this kernel, where its numbers name another process or none.
// Only Linux has those.
var ErrElsewhere = errors.New("recorded in another namespace")

// ThisBoot reports whether the identity was recorded since this machine was
// started, in whatever namespace.
func (id Identity) ThisBoot() (bool, error) {
	boot, err := Boot()
	return err == nil && sameKernel(boot, id.Boot), err
}

// Visible returns nil when the calling process can find out whether the process
// with this identity is alive. The error is [ErrElsewhere] when the identity was
// recorded in another PID or time namespace. A process of the initial namespaces
// also finds out when no process of that other PID namespace is left.
func (id Identity) Visible() error {
	boot, err := Boot()
	if err != nil || id.Boot == boot {
		return err
	}
	return visibleFrom(boot, id.Boot)
}

// A StartTime is the moment a process was made: microseconds since 1970 on
// macOS (p_starttime, set once in fork), clock ticks since boot on Linux
// (field 22 of /proc/PID/stat). Compare start times of one boot only. On macOS
// the wall clock behind it can be stepped, so order is a hint and equality the
// test.
type StartTime int64

// Boot returns the name of this run of the kernel, so that a recorded identity
// is recognised as stale after a reboot. On Linux it also names the PID and the
// time namespace where those are not the initial ones, because PIDs and start
// times mean other processes there.
func Boot() (string, error) { return boot() }

var boot = sync.OnceValues(readBoot)
