//go:build !darwin && !linux

package process

import "time"

func startedAt(StartTime) (time.Time, bool) { return time.Time{}, false }
