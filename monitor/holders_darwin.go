package monitor

import (
	"context"
	"os"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// search asks lsof(8), as only it may ask the kernel. Except to root, that shows no file of
// another user's process.
func search(ctx context.Context, lease string, at []process.Process) (seen sighting, err error) {
	if seen.locked, err = askLsof(ctx, lease); err != nil || os.Geteuid() == 0 {
		return seen, err
	}
	for _, p := range at {
		if p.User != os.Geteuid() {
			seen.unseen = append(seen.unseen, p.PID)
		}
	}
	return seen, nil
}
