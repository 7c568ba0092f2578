package process

import "time"

// startedAt reads the wall clock of the fork, which the kernel keeps (docs/xnu.md X23).
func startedAt(microseconds StartTime) (time.Time, bool) {
	return time.UnixMicro(int64(microseconds)), true
}
