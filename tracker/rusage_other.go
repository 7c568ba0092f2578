//go:build !unix

package tracker

import "time"

// processorTime is not known here, where nothing is tracked.
func processorTime() time.Duration { return 0 }
