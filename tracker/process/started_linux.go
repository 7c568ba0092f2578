package process

import (
	"time"

	"golang.org/x/sys/unix"
)

// startedAt asks the clock by which the kernel counts the ticks. Both have the offset of the
// time namespace of this process (docs/linux.md L72).
func startedAt(ticks StartTime) (time.Time, bool) {
	var sinceBoot unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &sinceBoot); err != nil {
		return time.Time{}, false
	}
	return madeBefore(time.Now(), time.Duration(sinceBoot.Nano()), ticks), true
}

// ticksPerSecond is the unit of start times on Linux (docs/linux.md L15).
const ticksPerSecond = 100

// madeBefore returns when a process was made that began some ticks after the boot. Now is
// the given time after it.
func madeBefore(now time.Time, sinceBoot time.Duration, ticks StartTime) time.Time {
	began := time.Duration(ticks/ticksPerSecond)*time.Second + time.Duration(ticks%ticksPerSecond)*time.Second/ticksPerSecond
	return now.Round(0).Add(-max(0, sinceBoot-began))
}
