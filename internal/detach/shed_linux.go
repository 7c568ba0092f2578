package detach

import (
	"os"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// systemLimits are the resources that only Linux limits, and descriptors: Go's runtime
// leaves one of them.
var systemLimits = []int{
	unix.RLIMIT_LOCKS, unix.RLIMIT_MSGQUEUE, unix.RLIMIT_NICE, unix.RLIMIT_NOFILE, unix.RLIMIT_RTPRIO,
	unix.RLIMIT_RTTIME, unix.RLIMIT_SIGPENDING,
}

// The default of a thread (prctl(2), PR_SET_TIMERSLACK), in nanoseconds.
const defaultTimerSlack = 50_000

const ioprioWhoProcess = 1 // ioprio_set(2), IOPRIO_WHO_PROCESS

// shedAttributes gives the calling thread, from which the second process inherits them,
// the default scheduling and execution domain. What the kernel refuses to an
// unprivileged process stays as it is (docs/detached.md). The caller has locked its
// goroutine to its thread.
func shedAttributes() {
	raiseLimits() // RLIMIT_NICE, for the priority
	var priority int32
	_, _, _ = unix.RawSyscall(unix.SYS_SCHED_SETSCHEDULER, 0, unix.SCHED_NORMAL, uintptr(unsafe.Pointer(&priority)))
	resetNice()
	var cpus unix.CPUSet
	if unix.SchedGetaffinity(1, &cpus) == nil { // init has no processors but those of all
		_ = unix.SchedSetaffinity(0, &cpus)
	}
	_, _, _ = unix.RawSyscall(unix.SYS_SET_MEMPOLICY, unix.MPOL_DEFAULT, 0, 0)
	_, _, _ = unix.RawSyscall(unix.SYS_IOPRIO_SET, ioprioWhoProcess, 0, 0) // IOPRIO_CLASS_NONE
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, defaultTimerSlack, 0, 0, 0)
	_ = unix.Prctl(unix.PR_SET_THP_DISABLE, 0, 0, 0, 0)
	_, _, _ = unix.RawSyscall(unix.SYS_PERSONALITY, 0, 0, 0) // PER_LINUX
	resetOOMScore("/proc/self/oom_score_adj")
}

// resetOOMScore writes the default, 0, or the lowest score that the kernel permits. That
// is the lowest one that a privileged process has set for this one or the processes it
// comes from (proc(5), oom_score_adj).
func resetOOMScore(file string) {
	write := func(score int) bool { return os.WriteFile(file, []byte(strconv.Itoa(score)), 0) == nil }
	text, err := os.ReadFile(file)
	high, parsed := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || parsed != nil || write(0) {
		return
	}
	for low := 0; high-low > 1; { // refused, permitted
		if middle := (low + high) / 2; write(middle) {
			high = middle
		} else {
			low = middle
		}
	}
}
