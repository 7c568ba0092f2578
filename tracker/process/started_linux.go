package process

import (
	"time"

	"golang.org/x/sys/unix"
)

// startedAt asks the clock by which the kernel counts the ticks. Both have the offset of the
// time namespace of this process (docs/linux.md L72).
func startedAt(ticks StartTime) (time.Time, bool) {
	now, sinceBoot, err := bothClocks()
	if err != nil {
		return time.Time{}, false
	}
	return madeBefore(now, sinceBoot, ticks), true
}

// bothClocks returns the wall clock and the time since the boot at one moment: within a
// tick. Where this thread has lost the processor between the looks it looks again.
func bothClocks() (now time.Time, sinceBoot time.Duration, err error) {
	for {
		var before, after unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &before); err != nil {
			return time.Time{}, 0, err
		}
		now = time.Now()
		if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &after); err != nil {
			return time.Time{}, 0, err
		}
		if after.Nano()-before.Nano() < int64(time.Second/ticksPerSecond) {
			return now, time.Duration(before.Nano()), nil
		}
	}
}

// ticksPerSecond is the unit of start times on Linux (docs/linux.md L15).
const ticksPerSecond = 100

// madeBefore returns when a process was made that began some ticks after the boot. Now is
// the given time after it.
func madeBefore(now time.Time, sinceBoot time.Duration, ticks StartTime) time.Time {
	began := time.Duration(ticks/ticksPerSecond)*time.Second + time.Duration(ticks%ticksPerSecond)*time.Second/ticksPerSecond
	return now.Round(0).Add(-max(0, sinceBoot-began))
}
